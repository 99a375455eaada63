package main

import (
	"context"
	"fmt"

	"github.com/containerd/ttrpc"

	"kata-agent.test/interop/protocol/grpc"
)

// health asks what the host asks first: whether the agent serves, and which version it is.
func health(ctx context.Context, client *ttrpc.Client) error {
	service := grpc.NewHealthClient(client)

	check, err := service.Check(ctx, &grpc.CheckRequest{})
	if err != nil {
		return fmt.Errorf("Check: %w", err)
	}
	if err := report("Check", check); err != nil {
		return err
	}

	version, err := service.Version(ctx, &grpc.CheckRequest{})
	if err != nil {
		return fmt.Errorf("Version: %w", err)
	}
	return report("Version", version)
}
