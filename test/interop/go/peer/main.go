// What the benchmarks run beside the agent: a ttRPC server of the Go library, and one load generator
// for both servers, which takes the request from standard input.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	socket := flag.String("socket", "", "unix socket to serve on, or to call")
	var wanted load
	flag.StringVar(&wanted.service, "service", "", "load: service to call")
	flag.StringVar(&wanted.method, "method", "", "load: method to call")
	flag.IntVar(&wanted.calls, "calls", 1, "load: calls to measure")
	flag.IntVar(&wanted.warmUp, "warm-up", 0, "load: calls to make before that")
	flag.IntVar(&wanted.window, "window", 1, "load: calls on their way at any time")
	flag.Parse()

	if err := run(flag.Arg(0), *socket, wanted); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", flag.Arg(0), err)
		os.Exit(1)
	}
}

func run(command, socket string, wanted load) error {
	switch command {
	case "serve":
		listener, err := net.Listen("unix", socket)
		if err != nil {
			return err
		}
		return serve(listener)
	case "load":
		payload, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		result, err := wanted.run(socket, payload)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	return fmt.Errorf("peer -socket SOCKET serve|load")
}
