// Constants of netlink and rtnetlink, one table per group, headed by the file of include/uapi that
// defines them.

/** linux/netlink.h: options of the socket */
export const NETLINK_OPTION = { CAP_ACK: 10, EXT_ACK: 11 } as const;

/** linux/netlink.h: messages that every part of the kernel sends */
export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4 } as const;

/** linux/netlink.h: flags of a message. What the kernel sends has some of the same bits for other things. */
export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  DUMP_INTR: 0x10,
  ACK_TLVS: 0x200,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
} as const;

/** linux/netlink.h: bits in the type of an attribute */
export const NLA = { F_NESTED: 0x8000, F_NET_BYTEORDER: 0x4000 } as const;

/** linux/netlink.h: attributes of an error */
export const NLMSGERR_ATTR = { MSG: 1 } as const;

/** linux/rtnetlink.h: types of messages */
export const RTM = {
  NEWLINK: 16,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
} as const;

/** linux/if_link.h: attributes of a link */
export const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, EXT_MASK: 29 } as const;

/** linux/rtnetlink.h: what a list of links leaves out */
export const RTEXT_FILTER = { SKIP_STATS: 8 } as const;

/** linux/if_addr.h: attributes and flags of an address */
export const IFA = {
  ADDRESS: 1,
  LOCAL: 2,
  BROADCAST: 4,
  CACHEINFO: 6,
  FLAGS: 8,
  PROTO: 11,
} as const;
export const IFA_F = { NODAD: 0x2, PERMANENT: 0x80 } as const;

/** linux/rtnetlink.h: attributes of a route */
export const RTA = {
  DST: 1,
  SRC: 2,
  OIF: 4,
  GATEWAY: 5,
  PREFSRC: 7,
  METRICS: 8,
  MULTIPATH: 9,
  CACHEINFO: 12,
  TABLE: 15,
  VIA: 18,
} as const;
export const RTAX = { MTU: 2 } as const;

/** linux/rtnetlink.h: what a route is for, who made it, and how far it reaches */
export const RTN = { UNICAST: 1 } as const;
export const RTPROT = { REDIRECT: 1, KERNEL: 2, BOOT: 3, RA: 9 } as const;
export const RT_TABLE = { MAIN: 254, LOCAL: 255 } as const;

/** linux/rtnetlink.h: flags of the next hop */
export const RTNH_F = { DEAD: 1, ONLINK: 4, LINKDOWN: 16 } as const;

/** linux/neighbour.h: attributes and states of a neighbour */
export const NDA = { DST: 1, LLADDR: 2 } as const;
export const NUD = { PERMANENT: 0x80 } as const;
export const NTF = { PROXY: 0x8 } as const;
