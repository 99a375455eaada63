package main

import (
	"context"
	"time"

	"kata-agent.test/interop/protocol/grpc"
	"kata-agent.test/interop/protocol/types"
)

// others makes the calls that the life of a pod does without, so that every method has been called. The
// machine is the tester's: what would change its network, clock or memory is asked for in a form that
// is to be refused.
func others(p *peer) []step {
	return append(aboutContainer(p), append(aboutFiles(p), append(aboutNetwork(p), aboutGuest(p)...)...)...)
}

func aboutContainer(p *peer) []step {
	return []step{
		exec(p, "exec on standard error", "words", process("sh", "-c", "echo to the host >&2")),
		readFrom(p.agent.ReadStderr, p, "standard error", "words"),
		wait(p, "wait for the words", "words"),
		served("update the container", p.agent.UpdateContainer, &grpc.UpdateContainerRequest{
			ContainerId: p.container, Resources: &grpc.LinuxResources{CPU: &grpc.LinuxCPU{Shares: 512}},
		}),
		served("stats of the container", p.agent.StatsContainer,
			&grpc.StatsContainerRequest{ContainerId: p.container}),
		asked("diagnostic data of no kind", p.agent.GetDiagnosticData,
			&grpc.GetDiagnosticDataRequest{ContainerId: p.container, LogType: "gossip"}),
		func(ctx context.Context) error {
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			_, err := p.agent.GetOOMEvent(short, &grpc.GetOOMEventRequest{})
			return reportRefusal("wait for a lack of memory", err)
		},
	}
}

func aboutFiles(p *peer) []step {
	return []step{
		asked("copy a file to where none is shared", p.agent.CopyFile,
			&grpc.CopyFileRequest{Path: "/etc/interop", FileSize: 1, FileMode: 0o644, Data: []byte("x")}),
		asked("update no mounts", p.agent.UpdateEphemeralMounts, &grpc.UpdateEphemeralMountsRequest{}),
		asked("look at what is shared", p.agent.RemoveStaleVirtiofsShareMounts,
			&grpc.RemoveStaleVirtiofsShareMountsRequest{}),
		asked("stats of a volume", p.agent.GetVolumeStats, &grpc.VolumeStatsRequest{VolumeGuestPath: "/run"}),
		asked("resize what has no size of its own", p.agent.ResizeVolume,
			&grpc.ResizeVolumeRequest{VolumeGuestPath: "/proc", Size: 1 << 20}),
	}
}

func aboutNetwork(p *peer) []step {
	return []step{
		asked("interfaces", p.agent.ListInterfaces, &grpc.ListInterfacesRequest{}),
		asked("routes", p.agent.ListRoutes, &grpc.ListRoutesRequest{}),
		asked("update an interface that is not there", p.agent.UpdateInterface, &grpc.UpdateInterfaceRequest{
			Interface: &types.Interface{Device: "absent0", Name: "absent0", HwAddr: "02:00:00:fe:fe:fe", Mtu: 1500},
		}),
		asked("update no list of routes", p.agent.UpdateRoutes, &grpc.UpdateRoutesRequest{}),
		asked("add no list of neighbours", p.agent.AddARPNeighbors, &grpc.AddARPNeighborsRequest{}),
		asked("packet filter", p.agent.GetIPTables, &grpc.GetIPTablesRequest{}),
		asked("set a packet filter that is none", p.agent.SetIPTables,
			&grpc.SetIPTablesRequest{Data: []byte("this is no table\n")}),
	}
}

func aboutGuest(p *peer) []step {
	return []step{
		asked("reseed with nothing", p.agent.ReseedRandomDev, &grpc.ReseedRandomDevRequest{}),
		asked("set the clock to no time", p.agent.SetGuestDateTime,
			&grpc.SetGuestDateTimeRequest{Sec: -1, Usec: -1}),
		asked("bring no processors online", p.agent.OnlineCPUMem, &grpc.OnlineCPUMemRequest{CpuOnly: true}),
		asked("announce no memory", p.agent.MemHotplugByProbe, &grpc.MemHotplugByProbeRequest{}),
		asked("swap to no disk", p.agent.AddSwap, &grpc.AddSwapRequest{}),
		asked("swap to an absent file", p.agent.AddSwapPath, &grpc.AddSwapPathRequest{Path: "/absent"}),
		asked("configure reclaim", p.agent.MemAgentMemcgSet, &grpc.MemAgentMemcgConfig{}),
		asked("configure compaction", p.agent.MemAgentCompactSet, &grpc.MemAgentCompactConfig{}),
	}
}
