package main

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
)

const (
	headerLength = 10
	request      = 1
	// The Rust server and ours write a status always, the Go server only for a failure.
	statusTag = 0x0a
)

// load is one request, made many times on one connection.
type load struct {
	service, method       string
	calls, warmUp, window int
}

type result struct {
	// Seconds from the first request to the last answer.
	Seconds float64 `json:"seconds"`
	// Bytes of all answers, without the frames.
	Bytes int64 `json:"bytes"`
	// Microseconds from request to answer, of each call.
	Microseconds []float64 `json:"microseconds"`
}

func (l load) run(socket string, payload []byte) (*result, error) {
	body, err := proto.Marshal(&ttrpc.Request{Service: l.service, Method: l.method, Payload: payload})
	if err != nil {
		return nil, err
	}
	// Its own garbage is not to be measured.
	debug.SetGCPercent(-1)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket}); err != nil {
		return nil, err
	}
	c := newCaller(fd, body, l.window)
	if _, err := c.make(l.warmUp); err != nil {
		return nil, err
	}
	return c.make(l.calls)
}

// caller knows frames and nothing of what they hold, so that it costs as little as can be. It calls
// the kernel without Go's scheduler: nothing else runs in this process.
type caller struct {
	fd     int
	window int
	frame  []byte
	nextID uint32
	sentAt map[uint32]time.Time
	// Answers are read to the end of what has come before; the rest begins a frame.
	buffer []byte
	filled int
}

func newCaller(fd int, body []byte, window int) *caller {
	frame := make([]byte, headerLength, headerLength+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	frame[8] = request
	return &caller{
		fd: fd, window: window, frame: append(frame, body...), nextID: 1,
		sentAt: make(map[uint32]time.Time, window), buffer: make([]byte, 1<<20),
	}
}

func (c *caller) make(calls int) (*result, error) {
	r := &result{Microseconds: make([]float64, 0, calls)}
	from := time.Now()
	if err := c.send(min(c.window, calls)); err != nil {
		return nil, err
	}
	sent := min(c.window, calls)
	for len(r.Microseconds) < calls {
		answered, err := c.receive(r)
		if err != nil {
			return nil, err
		}
		more := min(answered, calls-sent)
		if err := c.send(more); err != nil {
			return nil, err
		}
		sent += more
	}
	r.Seconds = time.Since(from).Seconds()
	return r, nil
}

// send makes that many requests with one write.
func (c *caller) send(count int) error {
	var all []byte
	now := time.Now()
	for range count {
		binary.BigEndian.PutUint32(c.frame[4:], c.nextID)
		c.sentAt[c.nextID] = now
		c.nextID += 2
		if count == 1 {
			all = c.frame
		} else {
			all = append(all, c.frame...)
		}
	}
	for len(all) > 0 {
		length, err := system(syscall.SYS_WRITE, c.fd, all)
		if err != nil {
			return err
		}
		all = all[length:]
	}
	return nil
}

// receive reads once, and takes every answer that is then complete.
func (c *caller) receive(r *result) (answered int, err error) {
	length, err := system(syscall.SYS_READ, c.fd, c.buffer[c.filled:])
	if err != nil {
		return 0, err
	}
	if length == 0 {
		return 0, fmt.Errorf("the server has closed the connection")
	}
	c.filled += length
	now := time.Now()
	at := 0
	for c.filled-at >= headerLength {
		end := at + headerLength + int(binary.BigEndian.Uint32(c.buffer[at:]))
		if end > len(c.buffer) {
			return 0, fmt.Errorf("an answer of %d bytes", end-at)
		}
		if end > c.filled {
			break
		}
		body := c.buffer[at+headerLength : end]
		if err := check(body); err != nil {
			return 0, err
		}
		id := binary.BigEndian.Uint32(c.buffer[at+4:])
		r.Microseconds = append(r.Microseconds, float64(now.Sub(c.sentAt[id]).Nanoseconds())/1000)
		delete(c.sentAt, id)
		r.Bytes += int64(len(body))
		answered++
		at = end
	}
	c.filled = copy(c.buffer, c.buffer[at:c.filled])
	return answered, nil
}

// check refuses an answer that is none: its status is not empty.
func check(body []byte) error {
	if len(body) < 2 || body[0] != statusTag || body[1] == 0 {
		return nil
	}
	var response ttrpc.Response
	if err := proto.Unmarshal(body, &response); err != nil {
		return err
	}
	return fmt.Errorf("refused: %s", response.Status)
}

func system(number uintptr, fd int, data []byte) (int, error) {
	length, _, errno := syscall.RawSyscall(
		number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
	if errno != 0 {
		return 0, errno
	}
	return int(length), nil
}
