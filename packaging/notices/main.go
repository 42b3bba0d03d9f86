// Prints THIRD-PARTY-NOTICES: what Copal links of others, and the licences of it.
//
// `scripts/notices` runs it, from the top of the repository. It needs cargo and go, which find the sources
// where the build has put them, and asks no other service.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
)

// A part is something of others that is in the binary.
type part struct {
	name, version, license string
	// Where it is developed: parts of one repository have their licence in common.
	repository string
	authors    []string
	texts      []string
}

// A section is the parts of one kind.
type section struct {
	title string
	parts []part
}

func main() {
	sections, err := collect()
	if err == nil {
		err = judge(sections)
	}
	if err == nil {
		out := bufio.NewWriter(os.Stdout)
		write(out, sections)
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func collect() ([]section, error) {
	host, err := crates("Cargo.toml", []string{"copal"}, "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
	if err != nil {
		return nil, err
	}
	names, err := prebuiltHooks("guest-hooks/prebuilt")
	if err != nil {
		return nil, err
	}
	guests, err := crates("guest-hooks/Cargo.toml", names, "wasm32-unknown-unknown")
	if err != nil {
		return nil, err
	}
	modules, err := modules("host/librclone-sys/go", "amd64", "arm64")
	if err != nil {
		return nil, err
	}
	sections := []section{
		{"Rust crates", host},
		{"Rust crates in the built-in hooks", guests},
		{"Go modules", modules},
	}
	if err := lend(sections); err != nil {
		return nil, err
	}
	libraries, err := libraries(modules)
	if err != nil {
		return nil, err
	}
	return append(sections, section{"Other libraries", libraries}), nil
}

func byName(parts map[string]part) []part {
	var sorted []part
	for _, one := range parts {
		sorted = append(sorted, one)
	}
	sort.Slice(sorted, func(a, b int) bool {
		if sorted[a].name != sorted[b].name {
			return sorted[a].name < sorted[b].name
		}
		return sorted[a].version < sorted[b].version
	})
	return sorted
}
