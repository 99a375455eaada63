// Calls the agent as the host's Go runtime does, with its ttRPC library, so that our server is held
// against a client that is not ours. Every answer is one line of JSON on standard output.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// The whole run's bound, so that a server that never answers fails a test instead of hanging it.
const limit = time.Minute

// command makes the calls of one scenario. The first that goes wrong ends it.
type command func(ctx context.Context, client *ttrpc.Client) error

var commands = map[string]command{
	"health": health,
}

func main() {
	socket := flag.String("socket", "", "unix socket of the agent; @NAME is an abstract one")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "interop -socket SOCKET %s\n", names())
		flag.PrintDefaults()
	}
	flag.Parse()

	run, known := commands[flag.Arg(0)]
	if *socket == "" || flag.NArg() != 1 || !known {
		flag.Usage()
		os.Exit(2)
	}
	if err := call(*socket, run); err != nil {
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

func call(socket string, run command) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()

	// The net package takes a leading @ for an abstract address itself.
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	client := ttrpc.NewClient(connection)
	defer client.Close()

	return run(ctx, client)
}

// report prints what a method answered, with the field names of the protocol file. Empty fields are
// printed too, and absent messages as null, so that the two can be told apart.
func report(method string, answer proto.Message) error {
	form := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}
	text, err := form.Marshal(answer)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	// protojson varies its blanks on purpose.
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	_, err = fmt.Printf("{\"method\":%q,\"answer\":%s}\n", method, compact.Bytes())
	return err
}
