package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/rc"
	"github.com/rclone/rclone/fs/rc/rcserver"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/rcd",
		Fn:    rcRcd,
		Title: "Serve the remote control over HTTP, with methods of another program beside rclone's own",
		Help: `This takes the following parameters:

- options - an object of options named rc_… (as in options/info) and lists of values
- program - its command line: the name of the method follows, and its parameters are on standard
  input as JSON
- tmpdir - its TMPDIR; none where it is empty
- methods - a list of objects with path, title and help

Returns, when the server listens, which it does until this process ends:

- refused - why it does not; empty where it does. A server without authentication is refused, except by
  rc_no_auth on loopback addresses and Unix sockets.`,
	})
}

type rcdInput struct {
	Options map[string][]string `json:"options"`
	Program []string            `json:"program"`
	TmpDir  string              `json:"tmpdir"`
	Methods []struct {
		Path, Title, Help string
	} `json:"methods"`
}

func rcRcd(_ context.Context, in rc.Params) (rc.Params, error) {
	var input rcdInput
	if err := rc.Reshape(&input, in); err != nil {
		return nil, rc.NewErrParamInvalid(err)
	}
	if len(input.Program) == 0 {
		return nil, rc.NewErrParamInvalid(errors.New("the program is missing"))
	}
	if err := setRcOptions(input.Options); err != nil {
		return rc.Params{"refused": err.Error()}, nil
	}
	for _, method := range input.Methods {
		rc.Add(rc.Call{
			Path:  method.Path,
			Title: method.Title,
			Help:  method.Help,
			Fn:    input.method(method.Path),
		})
	}
	rc.Opt.Enabled = true
	if _, err := rcserver.Start(context.Background(), &rc.Opt); err != nil {
		return rc.Params{"refused": err.Error()}, nil
	}
	return rc.Params{"refused": ""}, nil
}

func setRcOptions(options map[string][]string) error {
	for name, values := range options {
		option := fs.OptionsRegistry["rc"].Options.Get(name)
		if option == nil {
			return fmt.Errorf("unknown option %q", name)
		}
		for _, value := range values {
			if err := option.Set(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if err := fs.GlobalOptionsInit(); err != nil {
		return err
	}
	return mayServe(&rc.Opt)
}

// rclone warns of a server that anybody may use. Here it could be told to restore over the source.
func mayServe(opt *rc.Options) error {
	auth := opt.Auth
	switch {
	case auth.BasicUser != "" && auth.BasicPass == "":
		return errors.New("a user without a password")
	case auth.HtPasswd != "" || auth.BasicUser != "" || opt.HTTP.ClientCA != "":
		return nil
	case !opt.NoAuth:
		return errors.New("nobody is authenticated")
	}
	for _, address := range opt.HTTP.ListenAddr {
		if !isLocal(address) {
			return fmt.Errorf("%s can be reached from elsewhere, and nobody is authenticated", address)
		}
	}
	return nil
}

func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix://") || strings.HasPrefix(address, "/") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// What a program may be told, and what of its last words is told.
const (
	mostInput = 64 << 10
	lastWords = 16 << 10
)

// method runs the program for one call. When the call's job is stopped the program gets SIGTERM, at
// which it releases and removes what it has begun, and is waited for.
func (input *rcdInput) method(path string) rc.Func {
	return func(ctx context.Context, in rc.Params) (rc.Params, error) {
		parameters, err := json.Marshal(in)
		if err != nil {
			return nil, rc.NewErrParamInvalid(err)
		}
		if len(parameters) > mostInput {
			return nil, rc.NewErrParamInvalid(fmt.Errorf("the parameters are longer than %d bytes", mostInput))
		}
		program := input.Program
		command := exec.CommandContext(ctx, program[0], append(program[1:len(program):len(program)], path)...)
		command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
		command.Env = environment(input.TmpDir)
		command.Stdin = bytes.NewReader(parameters)
		var stdout bytes.Buffer
		stderr := tail{most: lastWords}
		command.Stdout, command.Stderr = &stdout, &stderr
		err = command.Run()
		var ended *exec.ExitError
		switch {
		case err == nil:
			return answer(stdout.Bytes(), 0)
		case errors.As(err, &ended) && ended.ExitCode() == 3: // sealed, and something fell short
			return answer(stdout.Bytes(), 3)
		case errors.As(err, &ended) && ended.ExitCode() == 2:
			return nil, rc.NewErrParamInvalid(errors.New(stderr.text()))
		case errors.As(err, &ended):
			return nil, fmt.Errorf("%s (%s)", stderr.text(), ended)
		}
		return nil, err
	}
}

// answer makes an object of what the program printed, which is one already, or a list.
func answer(printed []byte, exitCode int) (rc.Params, error) {
	var value any
	if err := json.Unmarshal(printed, &value); err != nil {
		return nil, fmt.Errorf("the program's result is no JSON: %w", err)
	}
	out, isObject := value.(map[string]any)
	if !isObject {
		out = rc.Params{"list": value}
	}
	out["exit_code"] = exitCode
	return out, nil
}

// The temporary directory of this process goes with it.
func environment(tmpdir string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TMPDIR=") {
			kept = append(kept, variable)
		}
	}
	if tmpdir != "" {
		kept = append(kept, "TMPDIR="+tmpdir)
	}
	return kept
}

// tail keeps the end of what is written to it.
type tail struct {
	most int
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.most; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	return strings.TrimSpace(strings.ToValidUTF8(string(t.kept), "�"))
}
