package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const rule = "--------------------------------------------------------------------------------"

// `copal licenses` reads the lists: a title with `==` before it, and under it a line a part, with two
// spaces between its name, its version and its licence.
func write(out io.Writer, sections []section) {
	fmt.Fprint(out, `Third-party notices

Copal is under Apache-2.0 or MIT, at your choice. Its binary contains the work of others, which stays under
the licences named here; their texts follow. The source of each part is where its registry has that version:
https://crates.io for crates, https://proxy.golang.org for modules.
`)
	// By its words alone: the same text is often broken into other lines.
	var texts []string
	users := map[string][]string{}
	for _, section := range sections {
		fmt.Fprintf(out, "\n== %s\n\n", section.title)
		for _, one := range section.parts {
			fmt.Fprintf(out, "%s  %s  %s\n", one.name, orDash(one.version), one.license)
			user := strings.TrimSpace(one.name + " " + one.version)
			for _, text := range one.texts {
				words := strings.Join(strings.Fields(text), " ")
				if _, seen := users[words]; !seen {
					texts = append(texts, text)
				}
				if !slices.Contains(users[words], user) {
					users[words] = append(users[words], user)
				}
			}
		}
	}
	fmt.Fprint(out, "\n== Texts\n")
	for _, text := range texts {
		words := strings.Join(strings.Fields(text), " ")
		fmt.Fprintf(out, "\n%s\n%s\n%s\n\n%s\n", rule, strings.Join(users[words], ", "), rule, text)
	}
}

func orDash(version string) string {
	if version == "" {
		return "-"
	}
	return version
}
