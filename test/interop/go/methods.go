package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/containerd/ttrpc"
)

// methods are those that have been called, by their full names.
type methods struct {
	mutex  sync.Mutex
	called map[string]bool
}

func newMethods() *methods {
	return &methods{called: map[string]bool{}}
}

// note is an interceptor of the client library: whoever makes a call makes it through here.
func (m *methods) note(
	ctx context.Context, request *ttrpc.Request, response *ttrpc.Response,
	info *ttrpc.UnaryClientInfo, invoke ttrpc.Invoker,
) error {
	m.mutex.Lock()
	m.called[info.FullMethod] = true
	m.mutex.Unlock()
	return invoke(ctx, request, response)
}

func (m *methods) sorted() []string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return slices.Sorted(maps.Keys(m.called))
}
