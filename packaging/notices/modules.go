package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// What is read of `go list`.
type goPackage struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// The modules that are linked into a program, on any of these processors.
func modules(directory string, processors ...string) ([]part, error) {
	found := map[string]part{}
	for _, processor := range processors {
		if err := modulesOn(processor, directory, found); err != nil {
			return nil, err
		}
	}
	return byName(found), nil
}

func modulesOn(processor, directory string, found map[string]part) error {
	command := exec.Command("go", "list", "-deps", "-json=Dir,Module", ".")
	command.Dir = directory
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=1", "GOOS=linux", "GOARCH="+processor)
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("go list of %s: %w", directory, err)
	}
	packages := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var one goPackage
		if err := packages.Decode(&one); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("what go list says of %s: %w", directory, err)
		}
		if one.Module == nil || one.Module.Main {
			continue
		}
		key := one.Module.Path + "@" + one.Module.Version
		module, ok := found[key]
		if !ok {
			module = part{name: one.Module.Path, version: one.Module.Version}
		}
		// A package may have come from elsewhere, and have a licence of its own.
		for at := one.Dir; ; at = filepath.Dir(at) {
			texts, err := textsIn(at)
			if err != nil {
				return err
			}
			module.add(texts)
			if at == one.Module.Dir {
				break
			}
		}
		module.license = strings.Join(names(module.texts), " AND ")
		found[key] = module
	}
}

func (one *part) add(texts []string) {
	for _, text := range texts {
		if !slices.Contains(one.texts, text) {
			one.texts = append(one.texts, text)
		}
	}
}

// The SPDX names of the licences in some texts.
func names(texts []string) []string {
	var names []string
	for _, text := range texts {
		for _, match := range licensecheck.Scan([]byte(text)).Match {
			isLicence := !match.IsURL && match.ID != "GooglePatentsFile"
			if isLicence && !slices.Contains(names, match.ID) {
				names = append(names, match.ID)
			}
		}
	}
	slices.Sort(names)
	return names
}
