package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The names that files with licences have.
var licenceName = regexp.MustCompile(`(?i)^(li[cs]en[cs]e|copying|copyright|notice|patents|unlicense)([-_.].*)?$`)

// What has such a name, and is source.
var source = regexp.MustCompile(`\.(go|rs|py|c|h|tmpl|json|ya?ml|toml|html)$`)

// The texts in one directory.
func textsIn(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || !licenceName.MatchString(name) || source.MatchString(name) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			return nil, err
		}
		text := tidy(string(content))
		if text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// Those in a directory and all below it, but for what is there for tests alone.
func textsBelow(directory string) ([]string, error) {
	var all part
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if slices.Contains([]string{"benches", "examples", "tests", "testdata"}, entry.Name()) {
			return filepath.SkipDir
		}
		texts, err := textsIn(path)
		all.add(texts)
		return err
	})
	return all.texts, err
}

// The same text for what differs in the ends of lines and in room around it.
func tidy(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(strings.TrimPrefix(text, "\ufeff"), "?"), "\r", "")
	lines := strings.Split(text, "\n")
	for number, line := range lines {
		lines[number] = strings.TrimRight(line, " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// Gives texts to the parts that came without: those of a part out of the same repository, else the usual
// text of the licence that the part names.
func lend(sections []section) error {
	lenders := map[string][]string{}
	for _, section := range sections {
		for _, one := range section.parts {
			if len(one.texts) > 0 {
				lenders[one.repository+" "+one.license] = one.texts
			}
			// Apache's names nobody.
			if len(one.texts) == 1 && strings.HasPrefix(one.license, "Apache-2.0") {
				lenders[one.license] = one.texts
			}
		}
	}
	for _, section := range sections {
		for number := range section.parts {
			one := &section.parts[number]
			if len(one.texts) == 0 && one.repository != "" {
				one.texts = lenders[one.repository+" "+one.license]
			}
			if len(one.texts) == 0 {
				one.texts = lenders[one.license]
			}
			if len(one.texts) == 0 && strings.Contains(one.license, "MIT") {
				authors := strings.Join(one.authors, ", ")
				if authors == "" {
					authors = "the authors of " + one.name
				}
				text, err := mit(authors)
				if err != nil {
					return err
				}
				one.texts = []string{text}
			}
		}
	}
	return addGPL(sections)
}

// The LGPL says what it adds to the GPL, and that both have to come with the program.
func addGPL(sections []section) error {
	gpl, err := os.ReadFile("packaging/notices/GPL-3.0.txt")
	if err != nil {
		return err
	}
	for _, section := range sections {
		for number := range section.parts {
			if one := &section.parts[number]; strings.Contains(one.license, "LGPL-3.0") {
				one.add([]string{tidy(string(gpl))})
			}
		}
	}
	return nil
}

// The text of the MIT licence, by these people.
func mit(authors string) (string, error) {
	own, err := os.ReadFile("LICENSE-MIT")
	if err != nil {
		return "", err
	}
	const permission = "Permission is hereby granted"
	_, terms, found := strings.Cut(string(own), permission)
	if !found {
		return "", fmt.Errorf("no %q in LICENSE-MIT", permission)
	}
	return tidy("MIT License\n\nCopyright (c) " + authors + "\n\n" + permission + terms), nil
}

// What neither cargo nor go lists.
func libraries(modules []part) ([]part, error) {
	var goTexts []string
	for _, one := range modules {
		if one.name == "golang.org/x/sys" {
			goTexts = one.texts // to the letter those of Go
		}
	}
	rust, err := mit("The Rust Project Contributors")
	if err != nil {
		return nil, err
	}
	const blessing = "The author disclaims copyright to this source code. In place of a legal notice, here is a blessing:\n\n" +
		"May you do good and not evil.\nMay you find forgiveness for yourself and forgive others.\n" +
		"May you share freely, never taking more than you give."
	return []part{
		{name: "Go's standard library and runtime", license: "BSD-3-Clause", texts: goTexts},
		{name: "Rust's standard library", license: "MIT OR Apache-2.0", texts: []string{rust}},
		{name: "SQLite", license: "blessing", texts: []string{blessing}},
	}, nil
}
