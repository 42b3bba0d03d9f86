package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// What is read of `cargo metadata`.
type metadata struct {
	Packages []crate `json:"packages"`
	Resolve  struct {
		Nodes []node `json:"nodes"`
	} `json:"resolve"`
}

type crate struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	License      string   `json:"license"`
	Source       string   `json:"source"` // nothing for our own
	Repository   string   `json:"repository"`
	Authors      []string `json:"authors"`
	ManifestPath string   `json:"manifest_path"`
	Targets      []struct {
		Kind []string `json:"kind"`
	} `json:"targets"`
}

type node struct {
	ID   string `json:"id"`
	Deps []struct {
		Pkg      string `json:"pkg"`
		DepKinds []struct {
			Kind *string `json:"kind"` // nothing for what is linked, else "build" or "dev"
		} `json:"dep_kinds"`
	} `json:"deps"`
}

// The crates that are linked into some packages of a workspace, on any of these targets.
func crates(manifest string, packages []string, targets ...string) ([]part, error) {
	arguments := []string{"metadata", "--locked", "--format-version=1", "--manifest-path", manifest}
	for _, target := range targets {
		arguments = append(arguments, "--filter-platform", target)
	}
	command := exec.Command("cargo", arguments...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("cargo metadata of %s: %w", manifest, err)
	}
	var all metadata
	if err := json.Unmarshal(output, &all); err != nil {
		return nil, fmt.Errorf("what cargo metadata says of %s: %w", manifest, err)
	}
	found := map[string]part{}
	for _, one := range all.linked(packages) {
		if one.Source == "" {
			continue
		}
		texts, err := textsBelow(filepath.Dir(one.ManifestPath))
		if err != nil {
			return nil, err
		}
		found[one.ID] = part{
			name:       one.Name,
			version:    one.Version,
			license:    strings.NewReplacer(" / ", " OR ", "/", " OR ").Replace(one.License),
			repository: repository(one.Repository),
			authors:    one.Authors,
			texts:      texts,
		}
	}
	return byName(found), nil
}

// Without what runs at build time alone: build scripts, macros, and what these need.
func (all *metadata) linked(packages []string) []crate {
	byID, nodes := map[string]crate{}, map[string]node{}
	for _, one := range all.Packages {
		byID[one.ID] = one
	}
	for _, one := range all.Resolve.Nodes {
		nodes[one.ID] = one
	}
	seen := map[string]bool{}
	var linked []crate
	var visit func(id string)
	visit = func(id string) {
		one := byID[id]
		if seen[id] || one.isMacro() {
			return
		}
		seen[id] = true
		linked = append(linked, one)
		for _, dependency := range nodes[id].Deps {
			for _, kind := range dependency.DepKinds {
				if kind.Kind == nil {
					visit(dependency.Pkg)
				}
			}
		}
	}
	for _, one := range all.Packages {
		if one.Source == "" && slices.Contains(packages, one.Name) {
			visit(one.ID)
		}
	}
	return linked
}

func (one crate) isMacro() bool {
	for _, target := range one.Targets {
		if slices.Contains(target.Kind, "proc-macro") {
			return true
		}
	}
	return false
}

// The packages of the components that the binary carries.
func prebuiltHooks(directory string) ([]string, error) {
	components, err := filepath.Glob(filepath.Join(directory, "*.wasm"))
	if err != nil || len(components) == 0 {
		return nil, fmt.Errorf("no component in %s (%v)", directory, err)
	}
	var names []string
	for _, component := range components {
		names = append(names, strings.TrimSuffix(filepath.Base(component), ".wasm"))
	}
	return names, nil
}

// An address of a repository without what is only of this crate.
func repository(address string) string {
	address = strings.TrimSuffix(strings.TrimSuffix(address, "/"), ".git")
	address, _, _ = strings.Cut(address, "/tree/")
	return address
}
