// Writes random filter rules and what rclone itself makes of them, one JSON object a line:
//
//	cd host/librclone-sys/go && go run ../../core/tests/filter/verdicts.go [SEED [COUNT]] \
//	    > ../../core/tests/filter/verdicts.jsonl
//
// Paths are percent-encoded where they are not UTF-8 or hold control characters; directories end
// with a slash. Rules that rclone refuses have no paths.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rclone/rclone/fs/filter"
)

type verdicts struct {
	Rules   []string `json:"rules"`
	Refused string   `json:"refused,omitempty"`
	Keep    []string `json:"keep,omitempty"`
	Skip    []string `json:"skip,omitempty"`
}

var plain = []string{"a", "b", "ab", "c", "/", "/", "*", "*", "**", "?", ".", "1", "é", "-", "_", "A"}

var odd = []string{
	"[ab]", "[!a]", "[^b]", "[a-c]", "[a-b-c]", "[--b]", "[a[b]]", "[a&&b]", "[~~]", "[]a]", "[\\d]", "[\\w]", "[^\\s]",
	"[[:alpha:]]", "[[:^alpha:]1]", "[é-ü]", "{a,b}", "{a,{b,c}}", "{a/b,c}", "{*,1}", "{,a}", "{}", "{{}}", "{{a+}}",
	"{{[^/]*b}}", "{{(?i)A}}", "{{(a|b)?}}", "{{a{2}}}", "{{a{,2}}}", "{{\\d\\w}}", "{{\\pL}}", "{{\\x61}}", "{{.}}", "{{a**}}", "{{a*?b}}",
	"{{\\bb}}", "{{b|c}}", "{{a$}}", "{{^a}}", "{{(?s).}}", "{{a)|(b}}", "{{[[]}}", "{{\\Qa.b\\E}}", "{{\\W}}", "{{\\S+}}", "{{\\s}}",
	"\\*", "\\?", "\\d", "\\w", "\\W", "\\.", "\\\\", "\\", "\\{", "\\{{", "\\[", "\\<", "\\b", "\\x41", "\\141",
	"+", "(", ")", "|", "^", "$", ",", " ", "!", "#", "[", "]", "{", "}", "{{", "}}", "***", "//", "\ufffd", "日", "~", "&&",
}

var names = []string{
	"a", "b", "ab", "c", "aa", "1", "A", ".", "é", "-", "_", "*", "?", "[", "]", "{", "}", "\\", " ", "+", "$", ",", "^", "|", "~", "&", "<",
	"\n", "\t", "\v", "\xff", "\xe2\x82", "\xed\xa0\x80", "\xf0\x9f", "ü", "日", "\ufffd", "\u00a0", "٣",
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func rule(r *rand.Rand) string {
	if r.IntN(25) == 0 {
		return "!"
	}
	var glob strings.Builder
	if r.IntN(3) == 0 {
		glob.WriteString("/")
	}
	oddity := r.IntN(3)
	for range 1 + r.IntN(5) {
		if r.IntN(4) < oddity {
			glob.WriteString(pick(r, odd))
		} else {
			glob.WriteString(pick(r, plain))
		}
	}
	switch r.IntN(6) {
	case 0:
		glob.WriteString("/")
	case 1:
		glob.WriteString("/**")
	}
	return strings.TrimSpace(pick(r, []string{"+ ", "- "}) + glob.String())
}

func rules(r *rand.Rand) (rules []string) {
	for range 1 + r.IntN(4) {
		rules = append(rules, rule(r))
	}
	if r.IntN(3) == 0 {
		rules = append(rules, "- *")
	}
	return rules
}

// path makes a sound relative path.
func path(r *rand.Rand) string {
	var parts []string
	for range 1 + r.IntN(3) {
		name := ""
		for range 1 + r.IntN(3) {
			if r.IntN(3) == 0 {
				name += pick(r, names)
			} else {
				name += pick(r, names[:5])
			}
		}
		if name == "." || name == ".." {
			name = "a"
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, "/")
}

func encode(path string) string {
	var out strings.Builder
	for i := 0; i < len(path); {
		c, width := utf8.DecodeRuneInString(path[i:])
		if (c == utf8.RuneError && width == 1) || unicode.IsControl(c) || c == '%' {
			for _, b := range []byte(path[i : i+width]) {
				fmt.Fprintf(&out, "%%%02X", b)
			}
		} else {
			out.WriteRune(c)
		}
		i += width
	}
	return out.String()
}

func ask(r *rand.Rand, rules []string) verdicts {
	answer := verdicts{Rules: rules}
	f, err := filter.NewFilter(nil)
	if err != nil {
		panic(err)
	}
	for _, rule := range rules {
		if err := f.AddRule(rule); err != nil {
			answer.Refused = err.Error()
			return answer
		}
	}
	isDirIncluded := f.IncludeDirectory(context.Background(), nil)
	for range 12 {
		path := path(r)
		isKept, shown := f.IncludeRemote(path), encode(path)
		if r.IntN(3) == 0 {
			isKept, err = isDirIncluded(path)
			if err != nil {
				panic(err)
			}
			shown += "/"
		}
		list := &answer.Skip
		if isKept {
			list = &answer.Keep
		}
		if !slices.Contains(*list, shown) {
			*list = append(*list, shown)
		}
	}
	return answer
}

func argument(n int, otherwise uint64) uint64 {
	if len(os.Args) <= n {
		return otherwise
	}
	value, err := strconv.ParseUint(os.Args[n], 10, 64)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	r := rand.New(rand.NewPCG(argument(1, 1), 0))
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for range argument(2, 400) {
		if err := out.Encode(ask(r, rules(r))); err != nil {
			panic(err)
		}
	}
}
