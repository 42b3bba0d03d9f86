// Checks Kubernetes manifests against the API's own types: a field that there is not, or of another type, is an
// error, and so is a name that nothing in the same file has.
//
//	go run . FILE…
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// The claim of the app, which is not Copal's to make.
const appClaim = "open-webui"

func main() {
	var wrong []error
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
		}
	}
	if err := errors.Join(wrong...); err != nil || len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func check(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	made := map[string]bool{"PersistentVolumeClaim/" + appClaim: true}
	var jobs []batch.CronJob
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		var kind meta.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return err
		}
		var object any
		var job batch.CronJob
		switch kind.APIVersion + " " + kind.Kind {
		case "v1 Secret":
			object = &core.Secret{}
		case "v1 ConfigMap":
			object = &core.ConfigMap{}
		case "v1 PersistentVolumeClaim":
			object = &core.PersistentVolumeClaim{}
		case "batch/v1 CronJob":
			object = &job
		default:
			return fmt.Errorf("nothing here knows %q of %q", kind.Kind, kind.APIVersion)
		}
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			return fmt.Errorf("%s: %w", kind.Kind, err)
		}
		made[kind.Kind+"/"+object.(meta.Object).GetName()] = true
		if kind.Kind == "CronJob" {
			jobs = append(jobs, job)
		}
	}
	if len(jobs) == 0 {
		return errors.New("there is no CronJob in it")
	}
	for _, job := range jobs {
		if err := whole(job, made); err != nil {
			return fmt.Errorf("CronJob %s: %w", job.Name, err)
		}
	}
	return nil
}

// Whether all that a job names is there, and a second run is kept from starting beside the first.
func whole(job batch.CronJob, made map[string]bool) error {
	if job.Spec.ConcurrencyPolicy != batch.ForbidConcurrent {
		return errors.New("concurrencyPolicy has to be Forbid")
	}
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	var volumes []string
	for _, volume := range pod.Volumes {
		volumes = append(volumes, volume.Name)
		for _, name := range needed(volume) {
			if !made[name] {
				return fmt.Errorf("the volume %s needs %s, which is not there", volume.Name, name)
			}
		}
	}
	if len(pod.Containers) == 0 {
		return errors.New("it has no container")
	}
	for _, container := range pod.Containers {
		for _, mount := range container.VolumeMounts {
			if !slices.Contains(volumes, mount.Name) {
				return fmt.Errorf("%s mounts the volume %s, which is not there", container.Name, mount.Name)
			}
		}
	}
	return nil
}

// What a volume is made of, as `Kind/name`.
func needed(volume core.Volume) []string {
	var names []string
	if claim := volume.PersistentVolumeClaim; claim != nil {
		names = append(names, "PersistentVolumeClaim/"+claim.ClaimName)
	}
	if volume.Projected != nil {
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				names = append(names, "ConfigMap/"+source.ConfigMap.Name)
			}
			if source.Secret != nil {
				names = append(names, "Secret/"+source.Secret.Name)
			}
		}
	}
	return names
}
