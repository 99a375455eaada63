package main

import (
	"net"
	"sync"
)

// countedConnection tells when a request has been sent, which the client library does not. The
// library writes each small request with one call of Write.
type countedConnection struct {
	net.Conn
	changed *sync.Cond
	writes  int
}

func newCountedConnection(plain net.Conn) *countedConnection {
	return &countedConnection{Conn: plain, changed: sync.NewCond(&sync.Mutex{})}
}

func (c *countedConnection) Write(data []byte) (int, error) {
	length, err := c.Conn.Write(data)
	c.changed.L.Lock()
	defer c.changed.L.Unlock()
	c.writes++
	c.changed.Broadcast()
	return length, err
}

// sent is how many requests have been sent.
func (c *countedConnection) sent() int {
	c.changed.L.Lock()
	defer c.changed.L.Unlock()
	return c.writes
}

// await returns when that many requests have been sent.
func (c *countedConnection) await(count int) {
	c.changed.L.Lock()
	defer c.changed.L.Unlock()
	for c.writes < count {
		c.changed.Wait()
	}
}
