//go:build !common_backends

package main

import _ "github.com/rclone/rclone/backend/all"
