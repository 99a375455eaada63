package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// step is one call, or a few that belong together, and the line of its outcome.
type step func(ctx context.Context) error

func inTurn(ctx context.Context, steps ...step) error {
	for _, run := range steps {
		if err := run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// served is a call that the agent must answer.
func served[Request any, Answer proto.Message](
	name string, method func(context.Context, Request) (Answer, error), request Request,
) step {
	return func(ctx context.Context) error {
		answer, err := method(ctx, request)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return report(name, answer)
	}
}

// refused is a call that the agent must refuse.
func refused[Request, Answer any](
	name string, method func(context.Context, Request) (Answer, error), request Request,
) step {
	return func(ctx context.Context) error {
		_, err := method(ctx, request)
		return reportRefusal(name, err)
	}
}

// asked is a call that the agent answers or refuses, whichever it is.
func asked[Request any, Answer proto.Message](
	name string, method func(context.Context, Request) (Answer, error), request Request,
) step {
	return func(ctx context.Context) error {
		answer, err := method(ctx, request)
		if err != nil {
			return reportRefusal(name, err)
		}
		return report(name, answer)
	}
}

// report prints what the agent answered, with the field names of the protocol file. Empty fields are
// printed too, and absent messages as null, so that the two can be told apart.
func report(name string, answer proto.Message) error {
	form := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}
	text, err := form.Marshal(answer)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// protojson varies its blanks on purpose.
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return printLine(map[string]any{"step": name, "answer": json.RawMessage(compact.Bytes())})
}

// reportRefusal prints the code and the text as the host's code sees them.
func reportRefusal(name string, err error) error {
	if err == nil {
		return fmt.Errorf("%s: the agent did not refuse", name)
	}
	refusal, isStatus := status.FromError(err)
	if !isStatus && errors.Is(err, context.DeadlineExceeded) {
		refusal = status.New(codes.DeadlineExceeded, err.Error())
	} else if !isStatus {
		return fmt.Errorf("%s: %w", name, err)
	}
	return printLine(map[string]any{
		"step": name, "code": refusal.Code().String(), "message": refusal.Message(),
	})
}

func printLine(fields map[string]any) error {
	line, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(line))
	return err
}
