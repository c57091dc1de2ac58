package salesiqbolt

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/salesiq-go/salesiq"
)

// ErrLockLost means that a token was not stored, since its bearer had given the
// lock back.
var ErrLockLost = errors.New("salesiqbolt: the lock for the token was given back")

var tokenKey = []byte("token")

// TokenStore returns a store that keeps sealed bytes:
//
//	salesiq.RefreshToken(credentials, salesiq.SealTokens(file.TokenStore(), key))
//
// The clients of this process that use it renew the token once. All stores of a
// file are one.
func (f *File) TokenStore() salesiq.TokenLocker { return &tokenStore{file: f} }

type tokenStore struct {
	file *File
	lost *atomic.Bool // Nil without a lock.
}

// Load implements [salesiq.TokenStore].
func (s *tokenStore) Load(context.Context) (sealed []byte, err error) {
	err = s.file.view(func(tx *bbolt.Tx) error {
		sealed = bytes.Clone(tx.Bucket(tokenBucket).Get(tokenKey))
		return nil
	})
	return sealed, err
}

// Save implements [salesiq.TokenStore].
func (s *tokenStore) Save(ctx context.Context, sealed []byte) error {
	if s.lost != nil && s.lost.Load() {
		return ErrLockLost
	}
	sealed = bytes.Clone(sealed)
	return s.file.do(ctx, &job{
		apply: func(c *change) error { return c.bucket(tokenBucket).Put(tokenKey, sealed) },
		bytes: len(sealed),
	})
}

// Lock implements [salesiq.TokenLocker].
func (s *tokenStore) Lock(ctx context.Context) (locked salesiq.TokenStore, unlock func(), err error) {
	if err := s.file.check(); err != nil {
		return nil, nil, err
	}
	select {
	case s.file.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	held := &tokenStore{file: s.file, lost: new(atomic.Bool)}
	return held, func() {
		if held.lost.CompareAndSwap(false, true) {
			<-s.file.lock
		}
	}, nil
}
