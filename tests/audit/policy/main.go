// policy verifies a proof offline, against the keys and the quorum of a policy file, by
// filippo.io/torchwood.
//
//	policy POLICY PROOF ENTRY      the entry: SHA-256 of a record, in hexadecimal
//	policy POLICY CHECKPOINT
package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func need[T any](value T, err error) T {
	if err != nil {
		fmt.Println("WRONG", err)
		os.Exit(1)
	}
	return value
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: policy POLICY PROOF ENTRY | policy POLICY CHECKPOINT")
		os.Exit(2)
	}
	policy := need(torchwood.ParsePolicy(need(os.ReadFile(os.Args[1]))))
	given := need(os.ReadFile(os.Args[2]))
	if len(os.Args) > 3 {
		entry := need(hex.DecodeString(os.Args[3]))
		need(0, torchwood.VerifyProof(policy, tlog.RecordHash(entry), given))
		fmt.Println("right proof")
		return
	}
	checkpoint, signed, err := torchwood.VerifyCheckpoint(given, policy)
	need(0, err)
	fmt.Println("right checkpoint of", checkpoint.N, "records,", len(signed.Sigs), "signatures")
}
