package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"k8s.io/client-go/tools/remotecommand"
	criapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/kubelet/pkg/cri/streaming"
	utilexec "k8s.io/utils/exec"
)

// The streaming server of a container runtime that is written in another language: exec, attach and port-forward
// need SPDY, which only Go has. The runtime says over a Unix socket what is to be streamed, and hands the address
// that it gets back to the kubelet:
//
//	POST /exec        {"argv": [...], "stdin": true, "stdout": true, "stderr": true, "tty": false}  -> {"url": "..."}
//	POST /attach      the same: argv is a program whose standard streams are the container's
//	POST /portforward {"pid": 123}: a process in the pod's network namespace                      -> {"url": "..."}
//
// `argv` is the whole command, with what enters the container in front. The socket is the runtime's own: whoever can
// open it may run anything.

// An address that nobody asked for within this time is forgotten by the request cache (one minute); a program that
// outlives its client is killed when the stream ends.
const streamsEndWithin = 5 * time.Second

type request struct {
	Argv   []string `json:"argv"`
	Pid    int      `json:"pid"`
	Stdin  bool     `json:"stdin"`
	Stdout bool     `json:"stdout"`
	Stderr bool     `json:"stderr"`
	TTY    bool     `json:"tty"`
}

func serveStreams(arguments []string) int {
	flags := flag.NewFlagSet("cri-streaming", flag.ContinueOnError)
	address := flags.String("listen", "127.0.0.1:0", "address that the kubelet fetches streams from")
	control := flags.String("control", "", "Unix socket that the container runtime asks at (required)")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	if err := serveStreamsAt(*address, *control); err != nil {
		fmt.Fprintln(os.Stderr, "cri-streaming:", err)
		return 1
	}
	return 0
}

func serveStreamsAt(address, control string) error {
	if control == "" {
		return errors.New("-control names the Unix socket to listen at")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	configuration := streaming.DefaultConfig
	configuration.Addr = listener.Addr().String()
	configuration.BaseURL = &url.URL{Scheme: "http", Host: configuration.Addr, Path: "/"}
	commands := &processes{argv: map[string][]string{}}
	server, err := streaming.NewServer(configuration, commands)
	if err != nil {
		return err
	}
	if err := os.Remove(control); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	local, err := net.Listen("unix", control)
	if err != nil {
		return err
	}
	if err := os.Chmod(control, 0o600); err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- http.Serve(listener, server) }()
	go func() { ended <- http.Serve(local, front(server, commands)) }()
	return <-ended
}

// front is what the container runtime asks over the Unix socket.
func front(server streaming.Server, commands *processes) http.Handler {
	routes := http.NewServeMux()
	answer := func(path string, ask func(request) (string, error)) {
		routes.HandleFunc("POST "+path, func(writer http.ResponseWriter, from *http.Request) {
			var asked request
			if err := json.NewDecoder(from.Body).Decode(&asked); err != nil {
				http.Error(writer, err.Error(), http.StatusBadRequest)
				return
			}
			address, err := ask(asked)
			if err != nil {
				http.Error(writer, err.Error(), http.StatusBadRequest)
				return
			}
			_ = json.NewEncoder(writer).Encode(map[string]string{"url": address})
		})
	}
	answer("/exec", func(asked request) (string, error) {
		if len(asked.Argv) == 0 {
			return "", errors.New("argv is empty")
		}
		reply, err := server.GetExec(&criapi.ExecRequest{
			ContainerId: "container", Cmd: asked.Argv,
			Stdin: asked.Stdin, Stdout: asked.Stdout, Stderr: asked.Stderr && !asked.TTY, Tty: asked.TTY,
		})
		return reply.GetUrl(), err
	})
	answer("/attach", func(asked request) (string, error) {
		if len(asked.Argv) == 0 {
			return "", errors.New("argv is empty")
		}
		reply, err := server.GetAttach(&criapi.AttachRequest{
			ContainerId: commands.remember(asked.Argv),
			Stdin:       asked.Stdin, Stdout: asked.Stdout, Stderr: asked.Stderr && !asked.TTY, Tty: asked.TTY,
		})
		return reply.GetUrl(), err
	})
	answer("/portforward", func(asked request) (string, error) {
		if asked.Pid <= 0 {
			return "", errors.New("pid is missing")
		}
		reply, err := server.GetPortForward(&criapi.PortForwardRequest{PodSandboxId: fmt.Sprint(asked.Pid)})
		return reply.GetUrl(), err
	})
	return routes
}

// processes runs what is streamed.
type processes struct {
	lock sync.Mutex
	next int
	argv map[string][]string
}

// remember keeps the command of an attachment, whose request has no place for one, until it is fetched.
func (p *processes) remember(argv []string) string {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.next++
	key := fmt.Sprint(p.next)
	p.argv[key] = argv
	time.AfterFunc(2*time.Minute, func() { p.recall(key) }) // the address is forgotten after one
	return key
}

func (p *processes) recall(key string) []string {
	p.lock.Lock()
	defer p.lock.Unlock()
	argv := p.argv[key]
	delete(p.argv, key)
	return argv
}

func (p *processes) Exec(ctx context.Context, _ string, argv []string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.WaitDelay = streamsEndWithin
	if tty {
		return runOnTerminal(command, in, out, resize)
	}
	return runOnPipes(command, in, out, err)
}

func (p *processes) Attach(ctx context.Context, key string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	argv := p.recall(key)
	if argv == nil {
		return errors.New("this attachment was fetched before")
	}
	return p.Exec(ctx, key, argv, in, out, err, tty, resize)
}

func runOnPipes(command *exec.Cmd, in io.Reader, out, err io.WriteCloser) error {
	if out != nil {
		command.Stdout = out
	}
	if err != nil {
		command.Stderr = err
	}
	if in != nil {
		// A pipe of our own: `Stdin` would have the command's end wait for the client's.
		pipe, failed := command.StdinPipe()
		if failed != nil {
			return failed
		}
		go func() {
			_, _ = io.Copy(pipe, in)
			_ = pipe.Close()
		}()
	}
	if failed := command.Start(); failed != nil {
		return failed
	}
	return explain(command.Wait())
}

func runOnTerminal(command *exec.Cmd, in io.Reader, out io.WriteCloser, resize <-chan remotecommand.TerminalSize) error {
	terminal, err := pty.Start(command)
	if err != nil {
		return err
	}
	defer terminal.Close()
	go func() {
		for size := range resize {
			_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go func() { _, _ = io.Copy(terminal, in) }()
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		if out != nil {
			_, _ = io.Copy(out, terminal)
		}
	}()
	failed := command.Wait()
	select { // a process that the command left behind may hold the terminal open
	case <-copied:
	case <-time.After(streamsEndWithin):
	}
	return explain(failed)
}

// explain turns an exit status into the error that the protocol carries to the client as one.
func explain(failed error) error {
	var exit *exec.ExitError
	if errors.As(failed, &exit) {
		status := exit.ExitCode()
		if state, ok := exit.Sys().(syscall.WaitStatus); ok && state.Signaled() {
			status = 128 + int(state.Signal())
		}
		return utilexec.CodeExitError{Err: exit, Code: status}
	}
	return failed
}

func (p *processes) PortForward(ctx context.Context, pid string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	connection, err := dialInside(ctx, pid, port)
	if err != nil {
		return err
	}
	defer connection.Close()
	toPod := make(chan struct{})
	go func() {
		defer close(toPod)
		_, _ = io.Copy(connection, stream)
		_ = connection.CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

// dialInside connects to a port of the pod's own loopback: a socket stays in the namespace that it was made in.
func dialInside(ctx context.Context, pid string, port int32) (*net.TCPConn, error) {
	type outcome struct {
		connection net.Conn
		err        error
	}
	dialled := make(chan outcome, 1)
	go func() {
		// The thread is not unlocked: it ends with this goroutine, and nothing else ever runs in the pod's network.
		runtime.LockOSThread()
		namespace, err := os.Open("/proc/" + pid + "/ns/net")
		if err != nil {
			dialled <- outcome{err: err}
			return
		}
		defer namespace.Close()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			dialled <- outcome{err: fmt.Errorf("entering the pod's network: %w", err)}
			return
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		dialled <- outcome{connection, err}
	}()
	result := <-dialled
	if result.err != nil {
		return nil, result.err
	}
	return result.connection.(*net.TCPConn), nil
}
