package main

import (
	"context"

	"kata-agent.test/interop/protocol/grpc"
)

// health asks what the host asks first: whether the agent serves, and which version it is.
func health(ctx context.Context, p *peer) error {
	service := grpc.NewHealthClient(p.client)
	return inTurn(ctx,
		served("check", service.Check, &grpc.CheckRequest{}),
		served("version", service.Version, &grpc.CheckRequest{}),
	)
}
