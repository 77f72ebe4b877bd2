// tlog holds a Daybook server to what others' tools expect of it: golang.org/x/mod's notes
// and trees, transparency-dev's proofs, tessera's fsck and torchwood's client.
//
//	tlog check -url URL -vkey FILE [-old FILE]... [-witness VKEY]... [-token T]
//
// It prints a line for each thing that is right, and ends with 1 at the first that is not.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files []string

func (f *files) String() string     { return strings.Join(*f, " ") }
func (f *files) Set(s string) error { *f = append(*f, s); return nil }

func wrong(format string, args ...any) {
	fmt.Printf("WRONG "+format+"\n", args...)
	os.Exit(1)
}

func need[T any](value T, err error) T {
	if err != nil {
		wrong("%v", err)
	}
	return value
}

func right(format string, args ...any) { fmt.Printf("right "+format+"\n", args...) }

func read(path string) []byte { return need(os.ReadFile(path)) }

// server is a log over HTTP, as tessera's packages read one; nothing is asked twice.
type server struct{ base, token string }

func (s *server) RoundTrip(request *http.Request) (*http.Response, error) {
	if s.token != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	return http.DefaultTransport.RoundTrip(request)
}

func (s *server) get(path string) (*http.Response, []byte, error) {
	web := http.Client{Transport: s, Timeout: time.Minute}
	answer, err := web.Get(s.base + path)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

func (s *server) whole(path string) ([]byte, error) {
	answer, body, err := s.get(path)
	if err == nil && answer.StatusCode == http.StatusNotFound {
		err = os.ErrNotExist
	} else if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return body, nil
}

func (s *server) ReadCheckpoint(context.Context) ([]byte, error) { return s.whole("checkpoint") }

func (s *server) ReadTile(_ context.Context, level, index uint64, width uint8) ([]byte, error) {
	return s.whole(layout.TilePath(level, index, width))
}

func (s *server) ReadEntryBundle(_ context.Context, index uint64, width uint8) ([]byte, error) {
	return s.whole(layout.EntriesPath(index, width))
}

// open reads a checkpoint by two parsers, which must agree.
func open(raw []byte, key note.Verifier, witnesses ...note.Verifier) *log.Checkpoint {
	checkpoint, rest, signed, err := log.ParseCheckpoint(raw, key.Name(), key, witnesses...)
	need(0, err)
	if len(rest) > 0 || len(signed.Sigs) != 1+len(witnesses) {
		wrong("checkpoint: %d signatures of %d, extension %q", len(signed.Sigs), 1+len(witnesses), rest)
	}
	strict := need(torchwood.ParseCheckpoint(signed.Text))
	if strict.String() != signed.Text || uint64(strict.N) != checkpoint.Size {
		wrong("checkpoint: not canonical: %q", signed.Text)
	}
	return checkpoint
}

// everything is read by fsck: entries, and every tile of every level. It may wait for ever
// where a tile differs.
func everything(s *server, key note.Verifier, size uint64) {
	leaves := func(raw []byte) ([][]byte, error) {
		var bundle api.EntryBundle
		if err := bundle.UnmarshalText(raw); err != nil {
			return nil, err
		}
		var hashes [][]byte
		for _, entry := range bundle.Entries {
			if len(entry) != 32 {
				return nil, fmt.Errorf("an entry of %d bytes", len(entry))
			}
			hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
		}
		return hashes, nil
	}
	done := make(chan error, 1)
	checker := fsck.New(key.Name(), key, s, leaves, fsck.Opts{N: 4})
	go func() { done <- checker.Check(context.Background()) }()
	select {
	case err := <-done:
		need(0, err)
	case <-time.After(time.Minute + 5*time.Millisecond*time.Duration(size)):
		wrong("fsck comes to no end: a tile differs")
	}
	right("fsck: all entries and tiles of %d records", size)
}

func edges(size uint64) []uint64 {
	var all []uint64
	for _, at := range []uint64{0, 1, 254, 255, 256, 257, 511, 512, 65535, 65536, size / 2, size / 256 * 256, size - 1} {
		if at < size {
			all = append(all, at)
		}
	}
	return all
}

func inclusion(s *server, checkpoint *log.Checkpoint) {
	ctx := context.Background()
	builder := need(client.NewProofBuilder(ctx, checkpoint.Size, s.ReadTile))
	fetcher := need(torchwood.NewTileFetcher(s.base, torchwood.WithHTTPClient(&http.Client{Transport: s, Timeout: time.Minute})))
	other := need(torchwood.NewClient(fetcher))
	tree := tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}
	for _, at := range edges(checkpoint.Size) {
		path := need(builder.InclusionProof(ctx, at))
		entry, record, err := other.Entry(ctx, tree, int64(at)) // torchwood verifies it
		need(0, err)
		leaf := rfc6962.DefaultHasher.HashLeaf(entry)
		need(0, proof.VerifyInclusion(rfc6962.DefaultHasher, at, checkpoint.Size, leaf, path, checkpoint.Hash))
		if len(record) != len(path) {
			wrong("two proofs of entry %d differ", at)
		}
	}
	right("%d proofs of inclusion, by tessera and torchwood", len(edges(checkpoint.Size)))
}

func consistency(s *server, path string, key note.Verifier, checkpoint *log.Checkpoint) {
	old, _, _, err := log.ParseCheckpoint(read(path), key.Name(), key)
	need(0, err)
	if old.Size > checkpoint.Size {
		wrong("%s has %d records, and the log %d", path, old.Size, checkpoint.Size)
	}
	var hashes [][]byte
	if old.Size > 0 && old.Size < checkpoint.Size {
		builder := need(client.NewProofBuilder(context.Background(), checkpoint.Size, s.ReadTile))
		hashes = need(builder.ConsistencyProof(context.Background(), old.Size, checkpoint.Size))
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, old.Size, checkpoint.Size, hashes, old.Hash, checkpoint.Hash); err != nil {
		wrong("%s: the log does not extend it: %v", path, err)
	}
}

func forms(s *server, size uint64) {
	header := func(path, name, want string) {
		answer, _, err := s.get(path)
		need(0, err)
		if got := answer.Header.Get(name); got != want || answer.StatusCode != 200 {
			wrong("%s: status %d, %s %q", path, answer.StatusCode, name, got)
		}
	}
	header("checkpoint", "Content-Type", "text/plain; charset=utf-8")
	if size > 0 {
		width := layout.PartialTileSize(0, 0, size)
		header(layout.TilePath(0, 0, width), "Content-Type", "application/octet-stream")
		header(layout.EntriesPath(0, width), "Content-Type", "application/octet-stream")
	}
	beyond := size/256 + 1_000_000 // it may grow meanwhile
	for _, path := range []string{
		layout.TilePath(0, beyond, 0), layout.EntriesPath(beyond, 0), "tile/0/0", "tile/00/000",
		"tile/64/000", "tile/0/x000/000", "tile/-1/000", "tile/0/000/", "tile/63/000",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/",
	} {
		answer, _, err := s.get(path)
		need(0, err)
		if answer.StatusCode != 404 {
			wrong("%s is no tile, and answered %d", path, answer.StatusCode)
		}
	}
	right("types, and 404 for what is no tile")
}

func main() {
	if len(os.Args) < 2 || os.Args[1] != "check" {
		fmt.Fprintln(os.Stderr, "usage: tlog check -url URL -vkey FILE [-old FILE]...")
		os.Exit(2)
	}
	var old, cosigners files
	flags := flag.NewFlagSet("check", flag.ExitOnError)
	url := flags.String("url", "http://127.0.0.1:8080/", "the log")
	vkey := flags.String("vkey", "", "file with the log's key")
	token := flags.String("token", "", "access token")
	flags.Var(&old, "old", "a checkpoint that the log must extend")
	flags.Var(&cosigners, "witness", "a vkey that must have signed")
	need(0, flags.Parse(os.Args[2:]))

	s := &server{strings.TrimSuffix(*url, "/") + "/", *token}
	key := need(fnote.NewVerifier(string(bytes.TrimSpace(read(*vkey)))))
	var witnesses []note.Verifier
	for _, cosigner := range cosigners {
		witnesses = append(witnesses, need(fnote.NewVerifierForCosignatureV1(cosigner)))
	}
	checkpoint := open(need(s.ReadCheckpoint(context.Background())), key, witnesses...)
	right("checkpoint of %d records", checkpoint.Size)
	if checkpoint.Size == 0 && !bytes.Equal(checkpoint.Hash, rfc6962.DefaultHasher.EmptyRoot()) {
		wrong("an empty log has another root")
	}
	if checkpoint.Size > 0 {
		everything(s, key, checkpoint.Size)
		inclusion(s, checkpoint)
	}
	for _, path := range old {
		consistency(s, path, key, checkpoint)
	}
	right("extends %d older checkpoints", len(old))
	forms(s, checkpoint.Size)
}
