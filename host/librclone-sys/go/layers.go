package main

import (
	"context"
	"errors"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/rc"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/layers",
		Fn:    rcLayers,
		Title: "The backends that a remote is made of",
		Help: `This takes the following parameters:

- fs - a remote name string e.g. "crypt:path"
- options - a list of names of backends' options

Returns:

- layers - a list: the remote itself, and whatever it wraps
  - backend - the backend's name: "b2", "crypt", "local", …
  - options - those of the options that the backend has, as an object of
    names; of each its value, and whether its owner has set it

No remote is contacted, and none is set up.`,
	})
}

type layer struct {
	Backend string                 `json:"backend"`
	Options map[string]layerOption `json:"options"`
}

type layerOption struct {
	Value string `json:"value"`
	Set   bool   `json:"set"`
}

func rcLayers(_ context.Context, in rc.Params) (rc.Params, error) {
	remote, err := in.GetString("fs")
	if err != nil {
		return nil, err
	}
	var options []string
	if err := in.GetStruct("options", &options); err != nil {
		return nil, err
	}
	layers, err := layersOf(remote, options, 0)
	return rc.Params{"layers": layers}, err
}

func layersOf(remote string, options []string, depth int) ([]layer, error) {
	if depth > tooDeep {
		return nil, errCircle
	}
	info, _, path, config, err := fs.ConfigFs(remote)
	if err != nil {
		return nil, err
	}
	top := layer{info.Name, map[string]layerOption{}}
	for _, name := range options {
		if value, ok := config.Get(name); ok && info.Options.Get(name) != nil {
			_, set := config.GetPriority(name, configmap.PriorityConfig)
			top.Options[name] = layerOption{value, set}
		}
	}
	layers := []layer{top}
	wrapped, _, err := wraps(info, path, config)
	if err != nil {
		return nil, err
	}
	for _, below := range wrapped {
		more, err := layersOf(below, options, depth+1)
		if err != nil {
			return nil, err
		}
		layers = append(layers, more...)
	}
	return layers, nil
}

func init() {
	rc.Add(rc.Call{
		Path:  "copal/set-backend-options",
		Fn:    rcSetBackendOptions,
		Title: "Set options of backends as flags would",
		Help: `This takes the following parameters:

- options - an object of option names (a backend's prefix and option name, e.g.
  "b2_chunk_size") and values

It holds for remotes that are set up from then on.`,
	})
}

func rcSetBackendOptions(_ context.Context, in rc.Params) (rc.Params, error) {
	var options map[string]string
	if err := in.GetStruct("options", &options); err != nil {
		return nil, err
	}
	for name, value := range options {
		option := findOption(name)
		if option == nil {
			return nil, errors.New("unknown option " + name)
		}
		if err := option.Set(value); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
