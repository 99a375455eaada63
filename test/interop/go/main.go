// Calls the agent as the host's Go runtime does, with its ttRPC library, so that our server is held
// against a client that is not ours. Every step is one line of JSON on standard output.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/ttrpc"

	"kata-agent.test/interop/protocol/grpc"
)

// The whole run's bound, so that a server that never answers fails a test instead of hanging it.
const limit = time.Minute

// peer is the agent, and what a scenario needs to talk to it.
type peer struct {
	connection *countedConnection
	methods    *methods
	client     *ttrpc.Client
	agent      grpc.AgentServiceService
	// container is the id of the one container; its first process goes by the same name.
	container string
	// rootfs is a directory in the agent's tree with busybox and its links in bin.
	rootfs string
}

// command makes the calls of one scenario. The first that goes wrong ends it.
type command func(ctx context.Context, p *peer) error

var commands = map[string]command{
	"health":    health,
	"lifecycle": lifecycle,
}

func main() {
	socket := flag.String("socket", "", "unix socket of the agent; @NAME is an abstract one")
	container := flag.String("container", "kata-agent-interop", "id of the container, and its cgroup")
	rootfs := flag.String("rootfs", "", "root of the container, with busybox in bin")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "interop -socket SOCKET [FLAGS] %s\n", names())
		flag.PrintDefaults()
	}
	flag.Parse()

	run, known := commands[flag.Arg(0)]
	if *socket == "" || flag.NArg() != 1 || !known {
		flag.Usage()
		os.Exit(2)
	}
	if err := call(*socket, run, peer{container: *container, rootfs: *rootfs}); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", flag.Arg(0), err)
		os.Exit(1)
	}
}

func names() string {
	var all []string
	for name := range commands {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, "|")
}

func call(socket string, run command, p peer) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()

	// The net package takes a leading @ for an abstract address itself.
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	p.connection = newCountedConnection(plain)
	p.methods = newMethods()
	p.client = ttrpc.NewClient(p.connection, ttrpc.WithUnaryClientInterceptor(p.methods.note))
	defer p.client.Close()
	p.agent = grpc.NewAgentServiceClient(p.client)

	return run(ctx, &p)
}
