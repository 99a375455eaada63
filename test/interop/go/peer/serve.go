package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"kata-agent.test/interop/protocol/grpc"
)

type health struct{}

func (health) Check(context.Context, *grpc.CheckRequest) (*grpc.HealthCheckResponse, error) {
	return &grpc.HealthCheckResponse{Status: grpc.HealthCheckResponse_SERVING}, nil
}

func (health) Version(context.Context, *grpc.CheckRequest) (*grpc.VersionCheckResponse, error) {
	return &grpc.VersionCheckResponse{AgentVersion: "peer"}, nil
}

// serve answers Health, an echo of bytes, CopyFile of whole files, and ReadStdout from a process that
// writes zeros.
func serve(listener net.Listener) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	producer, err := zeros()
	if err != nil {
		return err
	}
	grpc.RegisterHealthService(server, health{})
	server.Register("bench.Echo", map[string]ttrpc.Method{
		"Echo": func(_ context.Context, unmarshal func(any) error) (any, error) {
			var message grpc.ReadStreamResponse
			return &message, unmarshal(&message)
		},
	})
	server.Register("grpc.AgentService", map[string]ttrpc.Method{
		"CopyFile": func(_ context.Context, unmarshal func(any) error) (any, error) {
			var request grpc.CopyFileRequest
			if err := unmarshal(&request); err != nil {
				return nil, err
			}
			temporary := request.Path + ".peer"
			if err := os.WriteFile(temporary, request.Data, os.FileMode(request.FileMode&0o777)); err != nil {
				return nil, err
			}
			return &emptypb.Empty{}, os.Rename(temporary, request.Path)
		},
		"ReadStdout": func(_ context.Context, unmarshal func(any) error) (any, error) {
			var request grpc.ReadStreamRequest
			if err := unmarshal(&request); err != nil {
				return nil, err
			}
			buffer := make([]byte, request.Len)
			length, err := producer.Read(buffer)
			return &grpc.ReadStreamResponse{Data: buffer[:length]}, err
		},
	})
	return server.Serve(context.Background(), listener)
}

// zeros starts what the agent's container runs, with its output in a pipe. It ends with the pipe.
func zeros() (io.Reader, error) {
	command := exec.Command("busybox", "cat", "/dev/zero")
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return output, command.Start()
}
