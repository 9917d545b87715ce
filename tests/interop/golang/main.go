// Judges Zhao's log with Go's own transparency log code (golang.org/x/mod/sumdb, the code that
// guards the Go module ecosystem): log signature, cosignatures, inclusion of the epoch leaf and,
// in a receipt, of the event.
//
//	judge POLICY FILE...
//	judge POLICY URL LEAST
//	judge mldsa CHECKPOINT VKEY...
//
// POLICY is a C2SP tlog-policy; each FILE is a dossier, receipt or other file with a `head`. At URL
// a log of at least LEAST entries is served; all of it is judged (log.go).
// Everything is also judged after one bit of each input was turned; that must be refused, or the
// judge would accept anything. The last line says what passed and failed; exit 0 if none failed.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// One of our files, as far as the log is concerned. Raw members keep the bytes that were hashed.
type file struct {
	Format string `json:"format"`
	Head   struct {
		Epoch json.RawMessage `json:"epoch"`
		Proof string          `json:"proof"`
	} `json:"head"`
	Event json.RawMessage `json:"event"`
	Proof string          `json:"proof"`
	Index int64           `json:"index"`
}

// A text of c2sp.org/tlog-proof@v1.
type proof struct {
	index      int64
	hashes     tlog.RecordProof
	checkpoint []byte
}

func parseProof(text string) (*proof, error) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, errors.New("not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return nil, errors.New("no index line")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	p := &proof{index: index, checkpoint: []byte(checkpoint)}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		p.hashes = append(p.hashes, hash)
	}
	return p, nil
}

// Verifiers of the policy's log and witnesses. Go knows log keys (type 1); the cosigner type (4) is
// added here: it signs a header with the time in front of the checkpoint.
type policy struct {
	log       note.Verifier
	witnesses []note.Verifier
}

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newCosigner(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("malformed vkey")
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	if len(data) != 1+ed25519.PublicKeySize || data[0] != 4 {
		return nil, errors.New("not a cosigner's vkey")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	if uint32(hash) != binary.BigEndian.Uint32(sum[:]) {
		return nil, errors.New("key hash of vkey is wrong")
	}
	return &cosigner{parts[0], uint32(hash), data[1:]}, nil
}

func parsePolicy(text string) (*policy, error) {
	p := &policy{}
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) >= 2 && words[0] == "log" {
			v, err := note.NewVerifier(words[1])
			if err != nil {
				return nil, fmt.Errorf("log: %w", err)
			}
			p.log = v
		}
		if len(words) >= 3 && words[0] == "witness" {
			v, err := newCosigner(words[2])
			if err != nil {
				return nil, fmt.Errorf("witness %s: %w", words[1], err)
			}
			p.witnesses = append(p.witnesses, v)
		}
	}
	if p.log == nil {
		return nil, errors.New("policy names no log")
	}
	return p, nil
}

// openCheckpoint wants the log's signature and every witness's.
func openCheckpoint(p *policy, checkpoint []byte) (tlog.Tree, error) {
	known := note.VerifierList(append([]note.Verifier{p.log}, p.witnesses...)...)
	opened, err := note.Open(checkpoint, known)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	signed := map[string]bool{}
	for _, sig := range opened.Sigs {
		signed[sig.Name+strconv.FormatUint(uint64(sig.Hash), 16)] = true
	}
	for _, v := range append([]note.Verifier{p.log}, p.witnesses...) {
		if !signed[v.Name()+strconv.FormatUint(uint64(v.KeyHash()), 16)] {
			return tlog.Tree{}, fmt.Errorf("no signature by %s", v.Name())
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != p.log.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", p.log.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// judge checks one leaf against one proof.
func judge(p *policy, text string, index int64, leaf []byte) error {
	proof, err := parseProof(text)
	if err != nil {
		return err
	}
	if index >= 0 && proof.index != index {
		return fmt.Errorf("proof of index %d, expected %d", proof.index, index)
	}
	tree, err := openCheckpoint(p, proof.checkpoint)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof.hashes, tree.N, tree.Hash, proof.index, tlog.RecordHash(leaf))
}

// flip turns one bit in the middle of a copy.
func flip(data []byte) []byte {
	out := append([]byte(nil), data...)
	out[len(out)/2] ^= 1
	return out
}

// judgeBoth judges a leaf, then the same with the leaf, the proof and the signatures turned.
func judgeBoth(p *policy, text string, index int64, leaf []byte) error {
	if err := judge(p, text, index, leaf); err != nil {
		return err
	}
	if judge(p, text, index, flip(leaf)) == nil {
		return errors.New("accepted a leaf with one bit turned")
	}
	// The log's own signature line: its last characters are signature, before them name and key.
	start := strings.Index(text, "\n\u2014 "+p.log.Name()+" ") + 1
	end := start + strings.Index(text[start:], "\n")
	turned := []byte(text)
	turned[end-4] ^= 2
	if judge(p, string(turned), index, leaf) == nil {
		return errors.New("accepted a signature with one bit turned")
	}
	_, checkpoint, _ := strings.Cut(text, "\n\n")
	other := strings.Replace(text, checkpoint, "x"+checkpoint, 1)
	if judge(p, other, index, leaf) == nil {
		return errors.New("accepted another origin")
	}
	return nil
}

func judgeFile(p *policy, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	if len(f.Head.Epoch) == 0 {
		return errors.New("file has no head")
	}
	if err := judgeBoth(p, f.Head.Proof, -1, f.Head.Epoch); err != nil {
		return fmt.Errorf("epoch leaf: %w", err)
	}
	if f.Format == "zhao/v1 receipt" {
		leaf := []byte(`{"event":` + string(f.Event) + `,"leaf":"event"}`)
		if err := judgeBoth(p, f.Proof, f.Index, leaf); err != nil {
			return fmt.Errorf("event leaf: %w", err)
		}
	}
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: judge POLICY FILE... | judge POLICY URL LEAST")
		os.Exit(2)
	}
	if os.Args[1] == "mldsa" {
		mainLattice(os.Args[2:])
		return
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	p, err := parsePolicy(string(text))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: policy:", err)
		os.Exit(2)
	}
	if strings.HasPrefix(os.Args[2], "http://") {
		mainLog(p, os.Args[2:])
		return
	}
	passed, failed := 0, 0
	for _, path := range os.Args[2:] {
		if err := judgeFile(p, path); err != nil {
			fmt.Printf("failed: %s: %v\n", path, err)
			failed++
		} else {
			passed++
		}
	}
	fmt.Printf("Go: %d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func mainLog(p *policy, args []string) {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: judge POLICY URL LEAST")
		os.Exit(2)
	}
	least, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	said, err := judgeLog(p, args[0], least)
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("Go:", said)
}
