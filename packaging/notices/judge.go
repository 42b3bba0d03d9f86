package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What a binary may contain that is given away under Apache-2.0 or MIT. Those of crates are in deny.toml;
// these are all that Go modules have. MPL-2.0 asks for the source of the module as well, which is where its
// name and version say; LGPL-3.0 also that the program can be built with another version of the module,
// which whoever has Copal's source can do (go.mod).
var accepted = []string{
	"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LGPL-3.0", "MIT", "MPL-2.0", "UPL-1.0", "Unlicense", "Zlib",
}

// Every part has a licence with its text, and a module one that is accepted.
func judge(sections []section) error {
	var wrong []error
	for _, section := range sections {
		for _, one := range section.parts {
			if one.license == "" || len(one.texts) == 0 {
				wrong = append(wrong, fmt.Errorf("%s %s comes without a licence: look for it, and add it to packaging/notices/texts.go", one.name, one.version))
				continue
			}
			if section.title != "Go modules" {
				continue
			}
			for _, name := range strings.Split(one.license, " AND ") {
				if !slices.Contains(accepted, name) {
					wrong = append(wrong, fmt.Errorf("%s %s is under %s, which packaging/notices/judge.go does not accept", one.name, one.version, name))
				}
			}
		}
	}
	return errors.Join(wrong...)
}
