// Package gate keeps rclone asleep until the program asks for it.
//
// The Go runtime of a C archive starts by itself when the process starts, on a thread of its own,
// and runs every package's init. Those of rclone take time and memory, create ~/.config/rclone,
// raise the limit on open files, and end the process when an RCLONE_ variable can't be parsed: too
// much for a command that needs no remote.
//
// Packages initialise in the order of their import paths, as soon as what they import is ready, and
// this one imports the least there is: so everything of rclone's waits here.
package gate

/*
void copal_gate_wait(void);
*/
import "C"

func init() {
	C.copal_gate_wait()
}
