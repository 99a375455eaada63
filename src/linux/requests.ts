// Requests of ioctl(2) that one kind of file knows.

/** linux/random.h, of /dev/random */
export const RND = { ADDENTROPY: 0x40085203, RESEEDCRNG: 0x5207 } as const;

/** linux/ext4.h, linux/btrfs.h; xfs has its own in fs/xfs/libxfs/xfs_fs.h. */
export const GROW = {
  EXT4_IOC_RESIZE_FS: 0x40086610,
  BTRFS_IOC_RESIZE: 0x50009403,
  XFS_IOC_FSGEOMETRY_V1: 0x80705864,
  XFS_IOC_FSGROWFSDATA: 0x4010586e,
} as const;

/** linux/ptp_clock.h, of /dev/ptp0 and the like */
export const PTP = { SYS_OFFSET: 0x43403d05 } as const;
