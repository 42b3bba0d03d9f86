package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/rclone/rclone/lib/file"
)

// What takes a file's place after rclone listed it may be a pipe, and to open one waits for whoever
// writes to it: for ever, and no context ends that. So none is waited for, and none is read.
func init() {
	file.OpenFile = openFile
}

var errNotData = errors.New("it is a pipe, a socket or a device by now, and no file")

func openFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		return os.OpenFile(name, flag, perm)
	}
	opened, err := os.OpenFile(name, flag|syscall.O_NONBLOCK, perm)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 {
		err = &os.PathError{Op: "open", Path: name, Err: errNotData}
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}
