package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	"kata-agent.test/interop/protocol/grpc"
)

// lifecycle takes a pod from its creation to its end, and makes every call that there is.
func lifecycle(ctx context.Context, p *peer) error {
	scenes := []func(*peer) []step{create, input, terminal, signals, pause, others, refusals, deadline, policy, remove}
	if err := health(ctx, p); err != nil {
		return err
	}
	for _, scene := range scenes {
		if err := inTurn(ctx, scene(p)...); err != nil {
			return err
		}
	}
	return printLine(map[string]any{"step": "methods called", "answer": p.methods.sorted()})
}

func create(p *peer) []step {
	// Its output ends before the process does.
	script := `echo "process $$ on $(hostname)"; exec sleep 600 >&- 2>&-`
	return []step{
		served("create the sandbox", p.agent.CreateSandbox,
			&grpc.CreateSandboxRequest{Hostname: "interop", SandboxId: p.container}),
		served("guest details", p.agent.GetGuestDetails,
			&grpc.GuestDetailsRequest{MemBlockSize: true, MemHotplugProbe: true}),
		served("create the container", p.agent.CreateContainer, &grpc.CreateContainerRequest{
			ContainerId: p.container, ExecId: p.container,
			OCI: containerSpec(p.rootfs, p.container, "sh", "-c", script),
		}),
		served("start the container", p.agent.StartContainer,
			&grpc.StartContainerRequest{ContainerId: p.container}),
		output(p, "output of the container", p.container),
	}
}

func input(p *peer) []step {
	return []step{
		exec(p, "exec cat", "cat", process("cat")),
		write(p, "write to cat", "cat", "typed by the host\n"),
		served("close the input of cat", p.agent.CloseStdin,
			&grpc.CloseStdinRequest{ContainerId: p.container, ExecId: "cat"}),
		output(p, "output of cat", "cat"),
		wait(p, "wait for cat", "cat"),
	}
}

func terminal(p *peer) []step {
	return []step{
		exec(p, "exec with a terminal", "tty",
			terminalProcess(33, 99, "sh", "-c", "stty size; read line; stty size; exit 5")),
		firstLine(p, "first size of the terminal", "tty"),
		served("resize the terminal", p.agent.TtyWinResize,
			&grpc.TtyWinResizeRequest{ContainerId: p.container, ExecId: "tty", Row: 20, Column: 30}),
		write(p, "type into the terminal", "tty", "typed\n"),
		output(p, "rest of the terminal's output", "tty"),
		wait(p, "wait for the terminal's process", "tty"),
	}
}

func signals(p *peer) []step {
	return []step{
		exec(p, "exec sleep", "sleep", process("sleep", "600")),
		func(ctx context.Context) error { return waitTwice(ctx, p, "sleep") },
		refused("wait for sleep once more", p.agent.WaitProcess,
			&grpc.WaitProcessRequest{ContainerId: p.container, ExecId: "sleep"}),
	}
}

func pause(p *peer) []step {
	return []step{
		served("pause", p.agent.PauseContainer, &grpc.PauseContainerRequest{ContainerId: p.container}),
		refused("exec while paused", p.agent.ExecProcess,
			&grpc.ExecProcessRequest{ContainerId: p.container, ExecId: "paused", Process: process("true")}),
		served("resume", p.agent.ResumeContainer, &grpc.ResumeContainerRequest{ContainerId: p.container}),
		exec(p, "exec after the pause", "resumed", process("true")),
		wait(p, "wait after the pause", "resumed"),
	}
}

func refusals(p *peer) []step {
	return []step{
		refused("start an unknown container", p.agent.StartContainer,
			&grpc.StartContainerRequest{ContainerId: "absent"}),
		refused("wait for an unknown process", p.agent.WaitProcess,
			&grpc.WaitProcessRequest{ContainerId: p.container, ExecId: "absent"}),
		refused("exec a missing program", p.agent.ExecProcess,
			&grpc.ExecProcessRequest{ContainerId: p.container, ExecId: "missing", Process: process("/bin/absent")}),
		refused("create a second of the same id", p.agent.CreateContainer, &grpc.CreateContainerRequest{
			ContainerId: p.container, OCI: containerSpec(p.rootfs, p.container, "true"),
		}),
		refused("create with an id that is a path", p.agent.CreateContainer, &grpc.CreateContainerRequest{
			ContainerId: "../escape", OCI: containerSpec(p.rootfs, "escape", "true"),
		}),
		refused("start twice", p.agent.StartContainer,
			&grpc.StartContainerRequest{ContainerId: p.container}),
		func(ctx context.Context) error {
			err := p.client.Call(ctx, "grpc.AgentService", "Absent", &emptypb.Empty{}, &emptypb.Empty{})
			return reportRefusal("call what the service does not have", err)
		},
	}
}

// deadline is over for the one call, and for nothing else.
func deadline(p *peer) []step {
	return []step{
		func(ctx context.Context) error {
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			_, err := p.agent.WaitProcess(short, &grpc.WaitProcessRequest{ContainerId: p.container})
			return reportRefusal("wait with a deadline", err)
		},
		exec(p, "exec after the deadline", "after", process("true")),
		wait(p, "wait after the deadline", "after"),
	}
}

// policy forbids a call for a while. With the last one nothing is forbidden any more.
func policy(p *peer) []step {
	set := func(name string, rules ...string) step {
		text := "package agent_policy\n" + strings.Join(rules, "\n")
		return served(name, p.agent.SetPolicy, &grpc.SetPolicyRequest{Policy: text})
	}
	return []step{
		served("metrics", p.agent.GetMetrics, &grpc.GetMetricsRequest{}),
		set("set a policy", "default ExecProcessRequest := false", "default SetPolicyRequest := true"),
		refused("exec against the policy", p.agent.ExecProcess,
			&grpc.ExecProcessRequest{ContainerId: p.container, ExecId: "denied", Process: process("true")}),
		refused("set a policy that is none", p.agent.SetPolicy, &grpc.SetPolicyRequest{Policy: "all"}),
		set("set a policy that only watches", "default AllowRequestsFailingPolicy := true"),
		exec(p, "exec under that policy", "allowed", process("true")),
		wait(p, "wait under that policy", "allowed"),
	}
}

func remove(p *peer) []step {
	return []step{
		served("kill the container", p.agent.SignalProcess,
			&grpc.SignalProcessRequest{ContainerId: p.container, Signal: uint32(syscall.SIGKILL)}),
		wait(p, "wait for the container", p.container),
		served("remove the container", p.agent.RemoveContainer,
			&grpc.RemoveContainerRequest{ContainerId: p.container}),
		refused("start the removed container", p.agent.StartContainer,
			&grpc.StartContainerRequest{ContainerId: p.container}),
		served("destroy the sandbox", p.agent.DestroySandbox, &grpc.DestroySandboxRequest{}),
	}
}

func exec(p *peer, name, execID string, process *grpc.Process) step {
	return served(name, p.agent.ExecProcess,
		&grpc.ExecProcessRequest{ContainerId: p.container, ExecId: execID, Process: process})
}

func write(p *peer, name, execID, text string) step {
	return served(name, p.agent.WriteStdin,
		&grpc.WriteStreamRequest{ContainerId: p.container, ExecId: execID, Data: []byte(text)})
}

func wait(p *peer, name, execID string) step {
	return served(name, p.agent.WaitProcess,
		&grpc.WaitProcessRequest{ContainerId: p.container, ExecId: execID})
}

// output prints all that comes until the stream has ended.
func output(p *peer, name, execID string) step {
	return read(p, name, execID, func(string) bool { return false })
}

func firstLine(p *peer, name, execID string) step {
	return read(p, name, execID, func(text string) bool { return strings.HasSuffix(text, "\n") })
}

func read(p *peer, name, execID string, isEnough func(text string) bool) step {
	return readBy(p.agent.ReadStdout, p, name, execID, isEnough)
}

func readFrom(stream readStream, p *peer, name, execID string) step {
	return readBy(stream, p, name, execID, func(string) bool { return false })
}

type readStream func(context.Context, *grpc.ReadStreamRequest) (*grpc.ReadStreamResponse, error)

func readBy(stream readStream, p *peer, name, execID string, isEnough func(text string) bool) step {
	return func(ctx context.Context) error {
		var text string
		for !isEnough(text) {
			chunk, err := stream(ctx,
				&grpc.ReadStreamRequest{ContainerId: p.container, ExecId: execID, Len: 32 << 10})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if len(chunk.Data) == 0 {
				break
			}
			text += string(chunk.Data)
		}
		return printLine(map[string]any{"step": name, "text": text})
	}
}

// waitTwice ends a process while two calls wait for it.
func waitTwice(ctx context.Context, p *peer, execID string) error {
	type outcome struct {
		answer *grpc.WaitProcessResponse
		err    error
	}
	outcomes := make(chan outcome)
	before := p.connection.sent()
	for range 2 {
		go func() {
			answer, err := p.agent.WaitProcess(ctx,
				&grpc.WaitProcessRequest{ContainerId: p.container, ExecId: execID})
			outcomes <- outcome{answer, err}
		}()
	}
	p.connection.await(before + 2)
	signal := served("signal sleep", p.agent.SignalProcess, &grpc.SignalProcessRequest{
		ContainerId: p.container, ExecId: execID, Signal: uint32(syscall.SIGTERM),
	})
	if err := signal(ctx); err != nil {
		return err
	}
	for _, who := range []string{"first", "second"} {
		got := <-outcomes
		if got.err != nil {
			return fmt.Errorf("the %s to wait: %w", who, got.err)
		}
		if err := report(fmt.Sprintf("%s to wait for sleep", who), got.answer); err != nil {
			return err
		}
	}
	return nil
}
