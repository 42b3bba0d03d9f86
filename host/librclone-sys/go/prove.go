package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/rclone/rclone/backend/crypt"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"
	"github.com/rclone/rclone/fs/operations"
	"github.com/rclone/rclone/fs/rc"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/prove",
		Fn:    rcProve,
		Title: "Compare files with what a remote holds",
		Help: `This takes the following parameters:

- srcFs - a remote name string e.g. "/dir" for the source
- dstFs - a remote name string e.g. "b2:path" for what is to be proven
- download - compare by reading it back (boolean)

Returns:

- differ - names of files with another content at dstFs
- missingOnDst - names of files that are not there
- error - names of files that could not be compared
- unproven - names of files that are the same by size, and have no hash

Unlike operations/check it has an encrypted remote proven by the hashes of the
remote below it, as "rclone cryptcheck" does: the beginning of each file is
read for that, and the source is encrypted anew.`,
	})
}

func rcProve(ctx context.Context, in rc.Params) (rc.Params, error) {
	source, err := rc.GetFsNamed(ctx, in, "srcFs")
	if err != nil {
		return nil, err
	}
	remote, err := rc.GetFsNamed(ctx, in, "dstFs")
	if err != nil {
		return nil, err
	}
	download, _ := in.GetBool("download")
	prover := &prover{unproven: []string{}}
	out := rc.Params{}
	opt := &operations.CheckOpt{
		Fsrc:         source,
		Fdst:         remote,
		OneWay:       true,
		Check:        prover.byHash,
		Differ:       operations.RcReportWriter(in, out, "differ", true),
		MissingOnDst: operations.RcReportWriter(in, out, "missingOnDst", true),
		Error:        operations.RcReportWriter(in, out, "error", true),
	}
	if encrypted, ok := remote.(*crypt.Fs); ok {
		opt.Check = prover.byHashBelow(encrypted)
	}
	if download {
		opt.Check = byReading
	}
	// That files differ is an error to it as well. What else there is, is among the errors' names.
	if err := operations.CheckFn(ctx, opt); err != nil {
		out["status"] = err.Error()
	}
	out["unproven"] = prover.unproven
	return out, nil
}

type prover struct {
	mu       sync.Mutex
	unproven []string
}

func (p *prover) noHash(file fs.Object) (differ bool, noHash bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unproven = append(p.unproven, file.Remote())
	return false, true, nil
}

func (p *prover) byHash(ctx context.Context, dst, src fs.Object) (differ bool, noHash bool, err error) {
	same, kind, err := operations.CheckHashes(ctx, src, dst)
	if err == nil && kind == hash.None {
		return p.noHash(src)
	}
	return err != nil || !same, false, err
}

func (p *prover) byHashBelow(encrypted *crypt.Fs) func(context.Context, fs.Object, fs.Object) (bool, bool, error) {
	kind := encrypted.UnWrap().Hashes().GetOne()
	return func(ctx context.Context, dst, src fs.Object) (differ bool, noHash bool, err error) {
		file, ok := dst.(*crypt.Object)
		if !ok || kind == hash.None {
			return p.noHash(src)
		}
		found, err := file.UnWrap().Hash(ctx, kind)
		if err != nil {
			return true, false, fmt.Errorf("can't read the hash below: %w", err)
		}
		if found == "" {
			return p.noHash(src)
		}
		expected, err := encrypted.ComputeHash(ctx, file, src, kind)
		if err != nil {
			return true, false, fmt.Errorf("can't compute the hash below: %w", err)
		}
		return expected != found, false, nil
	}
}

func byReading(ctx context.Context, dst, src fs.Object) (differ bool, noHash bool, err error) {
	same, err := operations.CheckIdenticalDownload(ctx, src, dst)
	return err != nil || !same, false, err
}
