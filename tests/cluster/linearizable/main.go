// Whether a history of requests to several servers could have been that of one.
//
//	linearizable HISTORY.jsonl PAGE.html
//
// The history is what tests/cluster/registers.py keeps. Ends with 0 where it is, with 1 where
// it is not (PAGE shows it), with 2 where that was not found out in time.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

const patience = 20 * time.Minute

type request struct {
	Client   int    `json:"client"`
	Key      string `json:"key"`
	Kind     string `json:"kind"`
	Value    string `json:"value"`
	Expected string `json:"expected"` // what If-Match named
	Outcome  string `json:"outcome"`  // done, absent (404), refused (412), unknown
	Found    string `json:"found"`
	Called   int64  `json:"called"`
	Returned int64  `json:"returned"`
}

// A person is what its first name is; "" is none. Each write has a name of its own.
// What is not known to have been done may have been, now or later: its end is the end.
func step(state, input, _ any) (bool, any) {
	now, one := state.(string), input.(request)
	there := now != ""
	switch one.Kind {
	case "read":
		return now == one.Found, now
	case "create":
		if one.Outcome == "refused" || (one.Outcome == "unknown" && there) {
			return there, now
		}
		return !there, one.Value
	case "write":
		if one.Outcome == "absent" || (one.Outcome == "unknown" && !there) {
			return !there, now
		}
		return there, one.Value
	case "swap":
		switch {
		case one.Outcome == "absent":
			return !there, now
		case one.Outcome == "refused":
			return there && now != one.Expected, now
		case one.Outcome == "unknown" && now != one.Expected:
			return true, now
		}
		return now == one.Expected, one.Value
	case "delete":
		if one.Outcome == "absent" || (one.Outcome == "unknown" && !there) {
			return !there, now
		}
		return there, ""
	}
	panic("kind " + one.Kind)
}

var model = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, one := range all {
			key := one.Input.(request).Key
			byKey[key] = append(byKey[key], one)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: step,
	DescribeOperation: func(input, _ any) string {
		one := input.(request)
		return fmt.Sprintf("%s %s if %q: %s %q", one.Kind, one.Value, one.Expected,
			one.Outcome, one.Found)
	},
	DescribeState: func(state any) string { return state.(string) },
}

func read(path string) ([]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []porcupine.Operation
	var last int64
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var one request
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, err
		}
		last = max(last, one.Returned)
		all = append(all, porcupine.Operation{ClientId: one.Client, Input: one,
			Call: one.Called, Return: one.Returned})
	}
	for i := range all {
		if all[i].Input.(request).Outcome == "unknown" {
			all[i].Return = last + 1
		}
	}
	return all, lines.Err()
}

func run() int {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: linearizable HISTORY.jsonl PAGE.html")
		return 2
	}
	all, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	result, info := porcupine.CheckOperationsVerbose(model, all, patience)
	if result == porcupine.Ok {
		fmt.Printf("%d requests: linearizable\n", len(all))
		return 0
	}
	fmt.Printf("%d requests: %s\n", len(all), result)
	if err := porcupine.VisualizePath(model, info, os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if result == porcupine.Illegal {
		return 1
	}
	return 2
}

func main() { os.Exit(run()) }
