package main

import "kata-agent.test/interop/protocol/grpc"

// containerSpec is what containerd asks for and Kata's runtime passes on: network, pid and cgroup
// namespaces are the guest's own matter.
func containerSpec(rootfs, id string, args ...string) *grpc.Spec {
	return &grpc.Spec{
		Version: "1.1.0",
		Process: process(args...),
		Root:    &grpc.Root{Path: rootfs},
		Mounts: []*grpc.Mount{
			mount("/proc", "proc", "nosuid", "noexec", "nodev"),
			mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
			mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
			mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
			mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
			mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
			mount("/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
		},
		Linux: &grpc.Linux{
			CgroupsPath:   "/" + id,
			Namespaces:    []*grpc.LinuxNamespace{{Type: "ipc"}, {Type: "uts"}, {Type: "mount"}},
			MaskedPaths:   []string{"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"},
		},
	}
}

func mount(destination, kind string, options ...string) *grpc.Mount {
	return &grpc.Mount{Destination: destination, Type: kind, Source: kind, Options: options}
}

func process(args ...string) *grpc.Process {
	few := []string{"CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"}
	return &grpc.Process{
		User:            &grpc.User{},
		Args:            args,
		Env:             []string{"PATH=/bin", "TERM=xterm"},
		Cwd:             "/",
		Capabilities:    &grpc.LinuxCapabilities{Bounding: few, Effective: few, Permitted: few},
		NoNewPrivileges: true,
	}
}

func terminalProcess(rows, columns uint32, args ...string) *grpc.Process {
	made := process(args...)
	made.Terminal = true
	made.ConsoleSize = &grpc.Box{Height: rows, Width: columns}
	return made
}
