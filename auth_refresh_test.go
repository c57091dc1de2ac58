package salesiq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// A1 to A17 are rows of docs/reliability.md.

func get(ctx context.Context, client *Client) error {
	_, err := client.Chats.Get(ctx, "c1")
	return err
}

// many runs f in n goroutines and returns their errors.
func many(n int, f func() error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = f() })
	}
	group.Wait()
	return errs
}

func refusal(code string) func(int, *tokenRequest) (*http.Response, error) {
	return func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, fmt.Sprintf(`{"error":%q}`, code)), nil
	}
}

func requireAuthError(t *testing.T, err error) *AuthError {
	t.Helper()
	var e *AuthError
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, ErrAuth)
	var whole *Error
	require.ErrorAs(t, err, &whole, "the call's own error is around it")
	require.Equal(t, e.RetryAt, whole.RetryAt)
	require.NotContains(t, e.RetryAt.String(), "m=", "the monotonic clock stands still while the machine sleeps")
	require.Equal(t, !e.Permanent, IsRetryable(err))
	return e
}

// headerOf returns a func that returns the header of a call, which a refresher must have.
func headerOf(t *testing.T, r *refresher) func() string {
	t.Helper()
	return func() string {
		h, err := r.Header(t.Context())
		require.NoError(t, err)
		return h
	}
}

// A1
func TestExpiredTokenIsRenewedOnceBeforeTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perToken: time.Second}
		store := NewMemoryTokenStore()
		require.NoError(t, store.Save(t.Context(), Token{AccessToken: NewSecret("expired"), Expiry: time.Now().Add(-time.Minute)}))
		client := clientOf(t, z, store)
		for _, err := range many(100, func() error { return get(t.Context(), client) }) {
			require.NoError(t, err)
		}
		require.Equal(t, 1, z.requests())
		require.NotContains(t, z.seen(), "expired")

		time.Sleep(time.Hour)
		for _, err := range many(100, func() error { return get(t.Context(), client) }) {
			require.NoError(t, err)
		}
		require.Equal(t, 2, z.requests())
	})
}

// A2
func TestRefusedTokenIsReplacedAndThePostRepeatedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		z := &fakeZoho{call: func(r *http.Request) *http.Response {
			body, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(body))
			return answerWith(http.StatusOK, `{"status":"success","data":{"id":"m1"}}`)
		}}
		z.revoke("access-1")
		client := clientOf(t, z, nil)
		_, err := client.Chats.SendMessage(t.Context(), "c1", TextMessage("hello"))
		require.NoError(t, err)
		require.Equal(t, []string{"access-1", "access-2"}, z.seen())
		require.Len(t, bodies, 1)
		require.Contains(t, bodies[0], "hello")
	})
}

// A2
func TestTokenRefusedTwiceIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		z.revoke("access-1")
		z.revoke("access-2")
		err := get(t.Context(), clientOf(t, z, nil))
		require.ErrorIs(t, err, ErrInvalidToken)
		require.Equal(t, []string{"access-1", "access-2"}, z.seen())
		require.Equal(t, 2, z.requests())
	})
}

// A3
func TestHundredRefusalsAtOnceCostOneTokenRequest(t *testing.T) {
	t.Parallel()
	for _, inFlight := range []int{10, 100} {
		synctest.Test(t, func(t *testing.T) {
			z := &fakeZoho{perCall: time.Second, perToken: time.Second}
			client := clientOf(t, z, nil, WithMaxInFlight(inFlight))
			require.NoError(t, get(t.Context(), client))
			z.revoke("access-1")
			for _, err := range many(100, func() error { return get(t.Context(), client) }) {
				require.NoError(t, err)
			}
			require.Equal(t, 2, z.requests(), "one at the start, one for all refusals")
		})
	}
}

// A4
func TestLateRefusalOfAnOldTokenCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		r := refresherOf(t, z, nil)
		old, err := r.Header(t.Context())
		require.NoError(t, err)
		require.Equal(t, transport.TokenDropped, r.Rejected(old))
		fresh, err := r.Header(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, old, fresh)

		require.Equal(t, transport.TokenOutdated, r.Rejected(old), "another attempt carries the newer one")
		again, err := r.Header(t.Context())
		require.NoError(t, err)
		require.Equal(t, fresh, again)
		require.Equal(t, 2, z.requests())
	})
}

func refresherOf(t *testing.T, z http.RoundTripper, store *TokenVault, opts ...Option) *refresher {
	t.Helper()
	return bindTo(t, z, RefreshToken(testCredentials, store), opts...)
}

func bindTo(t *testing.T, z http.RoundTripper, auth Authenticator, opts ...Option) *refresher {
	t.Helper()
	c := defaultConfig()
	for _, option := range append([]Option{WithHTTPClient(&http.Client{Transport: z})}, opts...) {
		require.NoError(t, option(c))
	}
	require.NoError(t, c.finish())
	tokens, err := auth.bind(c)
	require.NoError(t, err)
	return tokens.(*refresher)
}

// A5
func TestPermanentFailureIsSharedAndRemembered(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"invalid_code", "invalid_client", "invalid_client_secret", "invalid_grant", "INVALID_CODE"} {
		synctest.Test(t, func(t *testing.T) {
			z := &fakeZoho{perToken: time.Second, answer: refusal(code)}
			client := clientOf(t, z, nil)
			for i, minutes := range []int{1, 2, 4, 8, 10, 10} {
				pause := time.Duration(minutes) * time.Minute
				for _, err := range many(100, func() error { return get(t.Context(), client) }) {
					e := requireAuthError(t, err)
					require.True(t, e.Permanent)
					require.Equal(t, code, e.Code)
					require.Equal(t, time.Now().Add(pause), e.RetryAt)
				}
				require.Equal(t, i+1, z.requests())
				time.Sleep(pause - time.Second)
				require.Error(t, get(t.Context(), client))
				require.Equal(t, i+1, z.requests(), "no herd before the pause is over")
				time.Sleep(time.Second)
			}
			require.Empty(t, z.seen(), "no call goes out without a token")
		})
	}
}

// A5
func TestFailureIsForgottenWithTheNextToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: refusal("invalid_code")}
		store := NewMemoryTokenStore()
		client := clientOf(t, z, store)
		require.Error(t, get(t.Context(), client))
		// Someone signs in again and puts the token where it belongs.
		require.NoError(t, store.Save(t.Context(), Token{AccessToken: NewSecret("signed-in"), Expiry: time.Now().Add(time.Hour)}))
		time.Sleep(time.Minute)
		require.NoError(t, get(t.Context(), client))
		require.Equal(t, []string{"signed-in"}, z.seen())
		time.Sleep(time.Hour)
		e := requireAuthError(t, get(t.Context(), client))
		require.Equal(t, time.Minute, time.Until(e.RetryAt).Round(time.Second), "as after the first failure")
	})
}

// A6
func TestAccessDeniedWaitsTenMinutes(t *testing.T) {
	t.Parallel()
	const body = `{"error_description":"You have made too many requests continuously. Please try again after some time.","error":"Access Denied","status":"failure"}`
	for name, answer := range map[string]*http.Response{
		"as documented":        answerWith(http.StatusOK, body),
		"as seen":              answerWith(http.StatusBadRequest, body),
		"as a page":            answerWith(http.StatusOK, "<h1>Access Denied</h1>"),
		"as the standard says": answerWith(http.StatusTooManyRequests, ""),
		"half of it":           {StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"600"}}, Body: io.NopCloser(failingReader{})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{}
				z.answer = func(n int, _ *tokenRequest) (*http.Response, error) {
					if n == 1 {
						return answer, nil
					}
					return answerWith(http.StatusOK, tokenJSON(n, nil)), nil
				}
				client := clientOf(t, z, nil)
				start := time.Now()
				for time.Since(start) < 10*time.Minute {
					e := requireAuthError(t, get(t.Context(), client))
					require.Equal(t, start.Add(10*time.Minute), e.RetryAt)
					require.False(t, e.Permanent)
					time.Sleep(5 * time.Second)
				}
				require.Equal(t, 1, z.requests())
				require.NoError(t, get(t.Context(), client))
			})
		})
	}
}

// A2
func TestTokenThatHadTimeAndIsRefusedIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := refresherOf(t, &fakeZoho{}, nil)
		header := headerOf(t, r)
		require.Equal(t, transport.TokenDropped, r.Rejected(header()))
		second := header() // Nobody uses it before it is revoked, too.
		time.Sleep(30 * time.Second)
		require.Equal(t, transport.TokenDropped, r.Rejected(second), "it was not new any more")
		require.Equal(t, transport.TokenKept, r.Rejected(header()), "the third one in a row")
		time.Sleep(10*time.Second - time.Nanosecond)
		require.Equal(t, transport.TokenKept, r.Rejected(header()))
		time.Sleep(time.Nanosecond)
		require.Equal(t, transport.TokenDropped, r.Rejected(header()))
	})
}

// A6
func TestDenialIsKeptAlsoWhereTheStoreHasATokenMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		z.answer = func(n int, _ *tokenRequest) (*http.Response, error) {
			if n == 1 {
				return answerWith(http.StatusOK, `{"error":"Access Denied"}`), nil
			}
			return answerWith(http.StatusOK, tokenJSON(n, nil)), nil
		}
		vault := NewMemoryTokenStore()
		client := clientOf(t, z, vault)
		denied := requireAuthError(t, get(t.Context(), client))
		time.Sleep(3 * time.Minute)
		require.NoError(t, vault.Save(t.Context(), Token{AccessToken: NewSecret("stored"), Expiry: time.Now().Add(time.Hour)}))
		require.NoError(t, get(t.Context(), client), "the token of the store")
		z.revoke("stored")
		for range 7 {
			require.Equal(t, denied.RetryAt, requireAuthError(t, get(t.Context(), client)).RetryAt)
			require.Equal(t, 1, z.requests())
			time.Sleep(time.Minute)
		}
		require.NoError(t, get(t.Context(), client))
		require.Equal(t, 2, z.requests())
	})
}

// A6
func TestPauseThatTheTokenServerAsksForIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
			answer := answerWith(http.StatusServiceUnavailable, "<html>")
			answer.Header.Set("Retry-After", "120")
			return answer, nil
		}}
		client := clientOf(t, z, nil)
		start := time.Now()
		for time.Since(start) < 2*time.Minute {
			e := requireAuthError(t, get(t.Context(), client))
			require.Equal(t, start.Add(2*time.Minute), e.RetryAt)
			time.Sleep(time.Second)
		}
		require.Equal(t, 1, z.requests())
		require.Error(t, get(t.Context(), client))
		require.Equal(t, 2, z.requests())
	})
}

// A7
func TestUnreadableTokenAnswerIsATypedErrorWithoutItsText(t *testing.T) {
	t.Parallel()
	const secret = "1000.s3cr3t.s3cr3t"
	for name, answer := range map[string]*http.Response{
		"text":                   answerWith(http.StatusOK, "access_token="+secret),
		"a page":                 answerWith(http.StatusOK, "<html>"+secret),
		"nothing":                answerWith(http.StatusOK, ""),
		"too much":               answerWith(http.StatusOK, tokenJSON(1, map[string]any{"padding": strings.Repeat(secret, 1<<17)})),
		"an error without text":  answerWith(http.StatusOK, `{"error":{},"access_token":"`+secret+`"}`),
		"a token that is none":   answerWith(http.StatusOK, `{"access_token":"`+secret+`\r\nX-Evil: 1"}`),
		"a token and an error":   answerWith(http.StatusOK, `{"error":"general_error","access_token":"`+secret+`"}`),
		"a token and status 500": answerWith(http.StatusInternalServerError, tokenJSON(1, map[string]any{"access_token": secret})),
		"a token and status 400": answerWith(http.StatusBadRequest, tokenJSON(1, map[string]any{"access_token": secret})),
		"the request's secrets":  answerWith(http.StatusOK, `{"error":"bad client-secret","error_description":"no refresh-token"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) { return answer, nil }}
			err := get(t.Context(), clientOf(t, z, nil))
			requireAuthError(t, err)
			for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
				text := fmt.Sprintf(verb, err) + fmt.Sprintf(verb, errors.Unwrap(err))
				require.NotContains(t, text, secret)
				require.NotContains(t, text, "client-secret")
				require.NotContains(t, text, "refresh-token")
			}
			require.Empty(t, z.seen())
		})
	}
}

// A8
func TestHungTokenServerHoldsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perToken: 20 * time.Second}
		client := clientOf(t, z, nil)
		var group sync.WaitGroup
		start := time.Now()
		leader, cancel := context.WithCancel(t.Context())
		group.Go(func() {
			err := get(leader, client)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, 2*time.Second, time.Since(start))
		})
		synctest.Wait()
		for i := range 5 {
			group.Go(func() {
				limit := time.Duration(i+3) * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				assert.ErrorIs(t, get(ctx, client), context.DeadlineExceeded)
				assert.Equal(t, limit, time.Since(start))
			})
		}
		group.Go(func() {
			assert.NoError(t, get(t.Context(), client), "the leader's end is not the refresh's")
			assert.Equal(t, 20*time.Second, time.Since(start))
		})
		time.Sleep(2 * time.Second)
		cancel()
		group.Wait()
		require.Equal(t, 1, z.requests())
	})
}

// A8
func TestSilentTokenServerIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perToken: time.Hour}
		client := clientOf(t, z, nil)
		start := time.Now()
		err := get(t.Context(), client)
		e := requireAuthError(t, err)
		require.Equal(t, 30*time.Second, time.Since(start))
		require.NotErrorIs(t, err, context.DeadlineExceeded, "that is for the caller's own deadline")
		require.False(t, e.Permanent)
		require.Equal(t, 1, z.requests())
	})
}

// A9
func TestLifetimeIsBelievedOnlyWithinReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes map[string]any
		want    time.Duration
	}{
		"as documented":          {map[string]any{"expires_in": 3600}, time.Hour},
		"shorter":                {map[string]any{"expires_in": 1800}, 30 * time.Minute},
		"missing":                {map[string]any{"expires_in": nil}, time.Hour},
		"null":                   {map[string]any{"expires_in": (*int)(nil)}, time.Hour},
		"zero":                   {map[string]any{"expires_in": 0}, time.Hour},
		"negative":               {map[string]any{"expires_in": -5}, time.Hour},
		"a string":               {map[string]any{"expires_in": "1800"}, 30 * time.Minute},
		"a word":                 {map[string]any{"expires_in": "soon"}, time.Hour},
		"not a number":           {map[string]any{"expires_in": "NaN"}, time.Hour},
		"milliseconds":           {map[string]any{"expires_in": 3600000}, time.Hour},
		"milliseconds, of old":   {map[string]any{"expires_in": 1800000, "expires_in_sec": 1800}, 30 * time.Minute},
		"beyond all numbers":     {map[string]any{"expires_in": 1e300}, time.Hour},
		"a fraction of a second": {map[string]any{"expires_in": 0.5}, time.Hour},
		"an object":              {map[string]any{"expires_in": map[string]any{}}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
					return answerWith(http.StatusOK, tokenJSON(n, test.changes)), nil
				}}
				store := NewMemoryTokenStore()
				require.NoError(t, get(t.Context(), clientOf(t, z, store)))
				token, err := store.Load(t.Context())
				require.NoError(t, err)
				require.True(t, time.Now().Add(test.want).Equal(token.Expiry), "expires %s", token.Expiry)
			})
		})
	}
}

// A10
func TestTokenIsRenewedInTheBackgroundBeforeItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		client := clientOf(t, z, nil)
		require.NoError(t, get(t.Context(), client))
		z.perToken = 10 * time.Second

		time.Sleep(time.Hour - renewBefore - time.Second)
		require.NoError(t, get(t.Context(), client))
		synctest.Wait()
		require.Equal(t, 1, z.requests(), "not yet")

		time.Sleep(time.Second)
		start := time.Now()
		for _, err := range many(100, func() error { return get(t.Context(), client) }) {
			require.NoError(t, err)
		}
		require.Equal(t, start, time.Now(), "nobody waits for the new token while the old one is good")
		synctest.Wait()
		require.Equal(t, 2, z.requests())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.NoError(t, get(t.Context(), client))
		require.Equal(t, "access-2", z.seen()[len(z.seen())-1])
	})
}

// A10
func TestFailedRenewalInTheBackgroundIsNotSeenWhileTheTokenIsGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration // Before expiry.
		expiry := time.Now().Add(time.Hour)
		z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
			asked = append(asked, time.Until(expiry))
			if n == 1 {
				return answerWith(http.StatusOK, tokenJSON(1, nil)), nil
			}
			return answerWith(http.StatusInternalServerError, "down"), nil
		}}
		client := clientOf(t, z, nil)
		require.NoError(t, get(t.Context(), client))
		time.Sleep(time.Hour - renewBefore)
		for time.Now().Before(expiry.Add(-expiryMargin)) {
			require.NoError(t, get(t.Context(), client))
			time.Sleep(time.Second)
		}
		require.Equal(t, []time.Duration{time.Hour, 90 * time.Second, 60 * time.Second, 30 * time.Second}, asked, "the first, and one attempt in 30 seconds")
		for time.Now().Before(expiry) {
			require.NoError(t, get(t.Context(), client), "within the margin the old one is better than none")
			time.Sleep(time.Second)
		}
		require.Equal(t, []string{"access-1"}, slices.Compact(z.seen()))
		requireAuthError(t, get(t.Context(), client))
	})
}

// A10
func TestTokenThatIsAboutToExpireIsRenewedBeforeTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perToken: time.Second}
		client := clientOf(t, z, nil)
		require.NoError(t, get(t.Context(), client))
		time.Sleep(time.Hour - time.Second - expiryMargin)
		for _, err := range many(100, func() error { return get(t.Context(), client) }) {
			require.NoError(t, err)
		}
		require.Equal(t, []string{"access-1", "access-2"}, slices.Compact(z.seen()))
		require.Equal(t, 2, z.requests())
	})
}

// A1
func TestCallThatComesLateGetsTheTokenThatAnotherFound(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	r := refresherOf(t, z, nil)
	found, err := r.Header(t.Context())
	require.NoError(t, err)
	late, err := r.wait(t.Context()) // It saw no token before.
	require.NoError(t, err)
	require.Equal(t, found, late)
	require.Equal(t, 1, z.requests())
}

// A10
func TestCallWaitsForNobodyWhileTheTokenIsGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := refresherOf(t, &fakeZoho{}, nil)
		found, err := r.Header(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Hour - renewBefore)
		r.mu.Lock() // As another call does for a moment.
		good, err := r.Header(t.Context())
		r.mu.Unlock()
		require.NoError(t, err)
		require.Equal(t, found, good)
	})
}

// A10
func TestMarginsOfAShortLivedTokenAreShorter(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for lifetime, row := range map[time.Duration]struct{ due, stale time.Duration }{
		time.Hour:         {time.Hour - 90*time.Second, time.Hour - 15*time.Second},
		360 * time.Second: {270 * time.Second, 345 * time.Second},
		200 * time.Second: {150 * time.Second, 185 * time.Second},
		time.Minute:       {45 * time.Second, 54 * time.Second},
	} {
		b := newBearer(Token{Expiry: now.Add(lifetime)}, now)
		require.NotContains(t, b.expiry.String(), "m=", "the monotonic clock stands still while the machine sleeps")
		for after, want := range map[time.Duration]tokenAge{
			0: tokenFresh, row.due - 1: tokenFresh, row.due: tokenDue, row.stale - 1: tokenDue,
			row.stale: tokenStale, lifetime - 1: tokenStale, lifetime: tokenExpired,
		} {
			require.Equal(t, want, b.age(now.Add(after)), "%s of %s", after, lifetime)
		}
	}
}

// A10
func TestShortLivedTokenIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
			return answerWith(http.StatusOK, tokenJSON(n, map[string]any{"expires_in": 60})), nil
		}}
		client := clientOf(t, z, nil)
		for range 40 {
			require.NoError(t, get(t.Context(), client))
			time.Sleep(time.Second)
		}
		require.Equal(t, 1, z.requests(), "a minute is shorter than the margin of an hour's token")
	})
}

// A11
func TestTokenEndpointRedirectIsRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		synctest.Test(t, func(t *testing.T) {
			z := &fakeZoho{answer: func(_ int, r *tokenRequest) (*http.Response, error) {
				response := answerWith(status, "")
				response.Header.Set("Location", "https://evil.example/oauth/v2/token?refresh_token=refresh-token")
				response.Request = r.Request
				return response, nil
			}}
			err := get(t.Context(), clientOf(t, z, nil))
			requireAuthError(t, err)
			require.ErrorIs(t, err, ErrRedirect)
			require.Contains(t, err.Error(), "https://evil.example")
			require.NotContains(t, err.Error(), "refresh-token")
			require.Equal(t, 1, z.requests())
			require.Equal(t, accountsHost, z.tokens[0].URL.Host)
		})
	}
}

// A12
func TestMissingScopeIsNotAReasonForANewToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{call: func(*http.Request) *http.Response {
			return answerWith(http.StatusForbidden, `{"status":"error","code":"INVALID_OAUTH_SCOPE","message":"no"}`)
		}}
		err := get(t.Context(), clientOf(t, z, nil))
		require.ErrorIs(t, err, ErrInvalidOAuthScope)
		require.Equal(t, 1, z.requests())
		require.Len(t, z.seen(), 1)
	})
}

// A13
func TestTokenOfAnotherDataCenterNamesTheRightOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
			return answerWith(http.StatusOK, tokenJSON(n, map[string]any{"api_domain": "https://www.zohoapis.eu"})), nil
		}}
		store := NewMemoryTokenStore()
		err := get(t.Context(), clientOf(t, z, store))
		e := requireAuthError(t, err)
		require.True(t, e.Permanent)
		require.ErrorIs(t, err, ErrWrongDataCenter)
		require.Contains(t, err.Error(), "salesiq.EU")
		require.Empty(t, z.seen(), "the token is not sent to the wrong data center")
		token, err := store.Load(t.Context())
		require.NoError(t, err)
		require.Zero(t, token)
	})
}

// A14
func TestNewerTokenInTheStoreIsUsedInsteadOfARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		store := NewMemoryTokenStore()
		save := func(token Secret, left time.Duration) {
			require.NoError(t, store.Save(t.Context(), Token{AccessToken: token, Expiry: time.Now().Add(left)}))
		}
		save(NewSecret("first"), time.Hour)
		client := clientOf(t, z, store)
		require.NoError(t, get(t.Context(), client))

		// Another process renewed it, and the service killed the first one.
		time.Sleep(time.Minute)
		save(NewSecret("second"), time.Hour)
		z.revoke("first")
		for _, err := range many(50, func() error { return get(t.Context(), client) }) {
			require.NoError(t, err)
		}

		// Or it expired.
		time.Sleep(time.Hour - time.Minute)
		save(NewSecret("third"), time.Hour)
		require.NoError(t, get(t.Context(), client))
		synctest.Wait()
		require.NoError(t, get(t.Context(), client))
		require.Equal(t, "third", z.seen()[len(z.seen())-1])
		require.Zero(t, z.requests())

		// An older one, though still good by its date, is no help.
		save(NewSecret("second"), 30*time.Minute)
		z.revoke("third")
		require.NoError(t, get(t.Context(), client))
		require.Equal(t, "access-1", z.seen()[len(z.seen())-1])
		require.Equal(t, 1, z.requests())
	})
}

func TestStoredTokenOfOtherCredentialsIsNotUsed(t *testing.T) {
	t.Parallel()
	expiry := time.Now().Add(time.Hour)
	for why, token := range map[string]Token{
		"another account's":           {AccessToken: NewSecret("other"), RefreshToken: NewSecret("other-refresh"), Expiry: expiry},
		"another account's, rotated":  {AccessToken: NewSecret("other"), RefreshToken: NewSecret("refresh-token"), Expiry: expiry, Grant: fingerprint(NewSecret("other-refresh"))},
		"another OAuth server's":      {AccessToken: NewSecret("other"), RefreshToken: NewSecret("refresh-token"), Expiry: expiry, AccountsURL: "https://accounts.zoho.eu"},
		"another data center's":       {AccessToken: NewSecret("other"), RefreshToken: NewSecret("refresh-token"), Expiry: expiry, APIDomain: "https://www.zohoapis.in"},
		"cannot stand in a header":    {AccessToken: NewSecret("other\r\nX: 1"), RefreshToken: NewSecret("refresh-token"), Expiry: expiry},
		"without a date of expiry":    {AccessToken: NewSecret("other"), RefreshToken: NewSecret("refresh-token")},
		"about to expire":             {AccessToken: NewSecret("other"), RefreshToken: NewSecret("refresh-token"), Expiry: time.Now().Add(5 * time.Second)},
		"empty, as on the first time": {},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			z := &fakeZoho{}
			store := NewMemoryTokenStore()
			require.NoError(t, store.Save(t.Context(), token))
			require.NoError(t, get(t.Context(), clientOf(t, z, store)))
			require.Equal(t, []string{"access-1"}, z.seen())
			require.Equal(t, "refresh-token", z.tokens[0].form.Get("refresh_token"))
		})
	}
}

func TestStoredTokenIsUsedUpToItsMargin(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]string{expiryMargin + 1: "stored", expiryMargin: "access-1"} {
		synctest.Test(t, func(t *testing.T) {
			z := &fakeZoho{}
			store := NewMemoryTokenStore()
			require.NoError(t, store.Save(t.Context(), Token{AccessToken: NewSecret("stored"), Expiry: time.Now().Add(left)}))
			require.NoError(t, get(t.Context(), clientOf(t, z, store)))
			require.Equal(t, []string{want}, z.seen())
		})
	}
}

func TestStoreAloneSignsIn(t *testing.T) {
	t.Parallel()
	credentials := testCredentials
	credentials.RefreshToken = NewSecret("")
	for name, test := range map[string]struct {
		stored Token
		want   error
	}{
		"a refresh token":        {Token{RefreshToken: NewSecret("stored"), AccountsURL: US.Hosts().Accounts, Grant: "consent"}, nil},
		"nothing":                {Token{}, errNoRefreshToken},
		"another server's token": {Token{RefreshToken: NewSecret("stored"), AccountsURL: EU.Hosts().Accounts}, ErrWrongDataCenter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := &fakeZoho{}
			store := NewMemoryTokenStore()
			require.NoError(t, store.Save(t.Context(), test.stored))
			client, err := NewClient(RefreshToken(credentials, store), WithHTTPClient(&http.Client{Transport: z}))
			require.NoError(t, err)
			err = get(t.Context(), client)
			if test.want == nil {
				require.NoError(t, err)
				require.Equal(t, "stored", z.tokens[0].form.Get("refresh_token"))
				renewed, err := store.Load(t.Context())
				require.NoError(t, err)
				require.Equal(t, "consent", renewed.Grant, "it all began with that")
				return
			}
			require.ErrorIs(t, err, test.want)
			require.True(t, requireAuthError(t, err).Permanent)
			require.Zero(t, z.requests())
		})
	}
}

func TestRefreshTokenThatTheStoreGetsIsUsedWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		credentials := testCredentials
		credentials.RefreshToken = NewSecret("")
		z, store := &fakeZoho{}, NewMemoryTokenStore()
		client, err := NewClient(RefreshToken(credentials, store), WithHTTPClient(&http.Client{Transport: z}))
		require.NoError(t, err)
		require.ErrorIs(t, get(t.Context(), client), errNoRefreshToken)
		require.NoError(t, store.Save(t.Context(), Token{RefreshToken: NewSecret("stored"), Grant: "consent"}))
		time.Sleep(time.Second)
		require.NoError(t, get(t.Context(), client))
		require.Equal(t, "stored", z.tokens[0].form.Get("refresh_token"))
	})
}

func TestRefreshTokenSurvivesAnAnswerWithoutOneAndFollowsOneThatHasIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
			changes := map[string]any{}
			if n == 2 {
				changes["refresh_token"] = "rotated"
			}
			return answerWith(http.StatusOK, tokenJSON(n, changes)), nil
		}}
		store := NewMemoryTokenStore()
		client := clientOf(t, z, store)
		for _, want := range []Secret{NewSecret("refresh-token"), NewSecret("rotated"), NewSecret("rotated")} {
			require.NoError(t, get(t.Context(), client))
			token, err := store.Load(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, token.RefreshToken)
			time.Sleep(time.Hour)
		}
		var sent []string
		for _, request := range z.tokens {
			sent = append(sent, request.form.Get("refresh_token"))
		}
		require.Equal(t, []string{"refresh-token", "refresh-token", "rotated"}, sent)

		// Another process with the old credentials finds what has become of them.
		require.NoError(t, get(t.Context(), clientOf(t, z, store)))
		require.Equal(t, "rotated", z.tokens[len(z.tokens)-1].form.Get("refresh_token"))
	})
}

// faultyStore is a memory store with faults.
type faultyStore struct {
	memoryStore

	mu         sync.Mutex
	load, save func(ctx context.Context) error
}

// newFaultyStore returns a vault over a store that fails on demand.
func newFaultyStore() (*faultyStore, *TokenVault) {
	store := &faultyStore{}
	return store, SealTokens(store, testKey)
}

func (s *faultyStore) fail(load, save func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load, s.save = load, save
}

func (s *faultyStore) Load(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	fault := s.load
	s.mu.Unlock()
	if fault != nil {
		if err := fault(ctx); err != nil {
			return nil, err
		}
	}
	return s.memoryStore.Load(ctx)
}

func (s *faultyStore) Save(ctx context.Context, sealed []byte) error {
	s.mu.Lock()
	fault := s.save
	s.mu.Unlock()
	if fault != nil {
		if err := fault(ctx); err != nil {
			return err
		}
	}
	return s.memoryStore.Save(ctx, sealed)
}

func TestStoreIsWrittenAlthoughTheCallWasCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perToken: 2 * time.Second}
		store, vault := newFaultyStore()
		store.fail(nil, func(ctx context.Context) error { return ctx.Err() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, get(ctx, clientOf(t, z, vault)), context.DeadlineExceeded)
		time.Sleep(time.Second)
		synctest.Wait()
		token, err := vault.Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, NewSecret("access-1"), token.AccessToken)
	})
}

// Without a logger, somebody still has to hear of it: the next start may be unable to
// sign in.
func TestFirstTokenThatIsNotStoredIsHeardOfWithoutALogger(t *testing.T) { //nolint:paralleltest // It changes a global.
	var log bytes.Buffer
	standard := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(standard)
	synctest.Test(t, func(t *testing.T) {
		store, vault := newFaultyStore()
		store.fail(nil, func(context.Context) error { return errors.New("disk full") })
		client := clientOf(t, &fakeZoho{}, vault)
		for range 3 {
			require.NoError(t, get(t.Context(), client))
			time.Sleep(time.Hour)
		}
		require.Equal(t, 1, strings.Count(log.String(), "token not stored"))
		require.Contains(t, log.String(), "disk full")
		require.NotContains(t, log.String(), "access-1")
	})
}

func TestStoreThatCannotBeWrittenFailsNoCall(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(context.Context) error{
		"an error":               func(context.Context) error { return errors.New("disk full") },
		"a panic":                func(context.Context) error { panic("client-secret") },
		"silence":                func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"silence, deaf to limit": func(context.Context) error { <-time.After(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
					return answerWith(http.StatusOK, tokenJSON(n, map[string]any{"refresh_token": fmt.Sprint("rotated-", n)})), nil
				}}
				store, vault := newFaultyStore()
				require.NoError(t, vault.Save(t.Context(), Token{RefreshToken: NewSecret("refresh-token")}))
				store.fail(nil, fault)
				var log bytes.Buffer
				client := clientOf(t, z, vault, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				require.NoError(t, get(t.Context(), client))
				require.Contains(t, log.String(), "token not stored")
				for _, secret := range []string{"client-secret", "access-1", "rotated-1"} {
					require.NotContains(t, log.String(), secret)
				}

				store.fail(nil, nil)
				time.Sleep(time.Hour)
				require.NoError(t, get(t.Context(), client))
				require.Equal(t, "rotated-1", z.tokens[1].form.Get("refresh_token"), "what was not stored is not forgotten")
				token, err := vault.Load(t.Context())
				require.NoError(t, err)
				require.Equal(t, NewSecret("rotated-2"), token.RefreshToken, "the next renewal writes again")
			})
		})
	}
}

// The service replaces the refresh token with each request here. After a token that could not be stored, the store
// has an older one, until somebody else stores another.
func TestStoreIsHeardAgainAfterATokenThatCouldNotBeStored(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]Token{
		"a refresh token":      {RefreshToken: NewSecret("signed-in-again")},
		"an access token, too": {RefreshToken: NewSecret("signed-in-again"), AccessToken: NewSecret("access-again")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				revoked := false
				z := &fakeZoho{answer: func(n int, r *tokenRequest) (*http.Response, error) {
					if revoked && slices.Contains([]string{"first", "rotated-1", "rotated-2", "rotated-3"}, r.form.Get("refresh_token")) {
						return refusal("invalid_grant")(n, r)
					}
					return answerWith(http.StatusOK, tokenJSON(n, map[string]any{"refresh_token": fmt.Sprint("rotated-", n)})), nil
				}}
				credentials := testCredentials
				credentials.RefreshToken = NewSecret("")
				store, vault := newFaultyStore()
				require.NoError(t, vault.Save(t.Context(), Token{RefreshToken: NewSecret("first"), Grant: "consent"}))
				client, err := NewClient(RefreshToken(credentials, vault), WithHTTPClient(&http.Client{Transport: z}))
				require.NoError(t, err)
				store.fail(nil, func(context.Context) error { return errors.New("disk full") })
				for range 3 {
					require.NoError(t, get(t.Context(), client))
					time.Sleep(time.Hour)
				}
				store.fail(nil, nil)
				stored.Grant = "another consent"
				if !stored.AccessToken.IsZero() {
					stored.Expiry = time.Now().Add(time.Hour)
				}
				require.NoError(t, vault.Save(t.Context(), stored))
				revoked = true
				for range 3 {
					require.NoError(t, get(t.Context(), client))
					time.Sleep(time.Hour)
				}
				var sent []string
				for _, request := range z.tokens {
					sent = append(sent, request.form.Get("refresh_token"))
				}
				require.Equal(t, []string{"first", "rotated-1", "rotated-2", "signed-in-again"}, sent[:4])
			})
		})
	}
}

func TestStoreThatCannotBeReadIsAnErrorAtTheStartOnly(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such luck")
	for name, fault := range map[string]func(context.Context) error{
		"an error": func(context.Context) error { return broken },
		"a panic":  func(context.Context) error { panic(broken) },
		"silence":  func(context.Context) error { <-time.After(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{}
				store, vault := newFaultyStore()
				store.fail(fault, nil)
				var log bytes.Buffer
				client := clientOf(t, z, vault, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				for _, err := range many(10, func() error { return get(t.Context(), client) }) {
					requireAuthError(t, err)
					require.ErrorContains(t, err, "token store")
				}
				require.Zero(t, z.requests())

				store.fail(nil, nil)
				time.Sleep(firstPause)
				require.NoError(t, get(t.Context(), client))

				require.NotContains(t, log.String(), "store not read")
				store.fail(fault, nil)
				time.Sleep(time.Hour)
				require.NoError(t, get(t.Context(), client))
				require.Equal(t, 2, z.requests())
				require.Contains(t, log.String(), "store not read")
				time.Sleep(time.Minute) // Until the store that was silent has returned.
			})
		})
	}
}

type dispensable struct{ error }

func (dispensable) DoWithout() bool { return true }

func TestStoreThatIsAwayIsDoneWithoutIfItSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		store, vault := newFaultyStore()
		require.NoError(t, vault.Save(t.Context(), Token{RefreshToken: NewSecret("stored")}))

		store.fail(func(context.Context) error { return fmt.Errorf("no luck: %w", dispensable{errors.New("away")}) }, nil)
		require.NoError(t, get(t.Context(), clientOf(t, z, vault)), "with the refresh token of the credentials")
		require.Equal(t, 1, z.requests())

		credentials := testCredentials
		credentials.RefreshToken = NewSecret("")
		client, err := NewClient(RefreshToken(credentials, vault), WithHTTPClient(&http.Client{Transport: z}))
		require.NoError(t, err)
		e := requireAuthError(t, get(t.Context(), client))
		require.False(t, e.Permanent, "nobody has to change anything")
		require.ErrorContains(t, e, "away")
		require.Equal(t, 1, z.requests())
		store.fail(nil, nil)
		time.Sleep(lookInterval)
		require.NoError(t, get(t.Context(), client), "as soon as the store is back")
		require.Equal(t, "stored", z.tokens[1].form.Get("refresh_token"))
	})
}

func TestStoreThatWasNeverReadIsReadAgainWithTheNextAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, vault := newFaultyStore()
		var loads []time.Duration
		start := time.Now()
		store.fail(func(context.Context) error { loads = append(loads, time.Since(start)); return errors.New("gone") }, nil)
		client := clientOf(t, &fakeZoho{}, vault)
		for time.Since(start) < 20*time.Second {
			e := requireAuthError(t, get(t.Context(), client))
			require.ErrorContains(t, e, "gone")
			time.Sleep(time.Second)
		}
		require.Equal(t, []time.Duration{0, 5 * time.Second, 15 * time.Second}, loads, "otherwise, a store that hangs would hold each call")
	})
}

// redactingStore keeps a mask in the place of what it is given.
type redactingStore struct{ kept []byte }

func (s *redactingStore) Load(context.Context) ([]byte, error) { return s.kept, nil }

func (s *redactingStore) Save(_ context.Context, sealed []byte) error {
	s.kept = fmt.Append(nil, NewSecret(string(sealed)))
	return nil
}

func TestRedactedTokenIsNeverSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		store := SealTokens(&redactingStore{}, testKey)
		client := clientOf(t, z, store)
		for range 3 {
			require.NoError(t, get(t.Context(), client), "it goes on with what it holds itself")
			time.Sleep(time.Hour)
		}
		require.Equal(t, 3, z.requests())

		err := get(t.Context(), clientOf(t, z, store))
		require.True(t, requireAuthError(t, err).Permanent)
		require.ErrorContains(t, err, "not sealed")
		require.Equal(t, 3, z.requests())
		require.NotContains(t, z.seen(), redact.Mask)
	})
}

// A panic anywhere in a refresh must not take the refresher with it.
func TestPanicInTheTransportIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
			if n == 1 {
				panic("client-secret")
			}
			return answerWith(http.StatusOK, tokenJSON(n, nil)), nil
		}}
		client := clientOf(t, z, nil)
		err := get(t.Context(), client)
		requireAuthError(t, err)
		require.NotContains(t, err.Error(), "client-secret")
		time.Sleep(time.Minute)
		require.NoError(t, get(t.Context(), client))
	})
}

func TestUnreachableTokenServerIsTriedTwice(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func() (*http.Response, error){
		"refused": func() (*http.Response, error) { return nil, syscall.ECONNREFUSED },
		"reset":   func() (*http.Response, error) { return nil, syscall.ECONNRESET },
		"cut": func() (*http.Response, error) {
			response := answerWith(http.StatusOK, "")
			response.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failingReader{}))
			return response, nil
		},
		"bad gateway": func() (*http.Response, error) { return answerWith(http.StatusBadGateway, "<html>"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
					if n == 1 {
						return fault()
					}
					return answerWith(http.StatusOK, tokenJSON(n, nil)), nil
				}}
				require.NoError(t, get(t.Context(), clientOf(t, z, nil)))
				require.Equal(t, 2, z.requests())
			})
		})
	}
}

func TestTokenServerThatStaysUnreachableIsTriedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) { return nil, syscall.ECONNREFUSED }}
		client := clientOf(t, z, nil)
		for _, want := range []int{2, 3, 4} {
			require.Error(t, get(t.Context(), client))
			require.Equal(t, want, z.requests())
			time.Sleep(time.Minute)
		}
	})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestOutageOfTheTokenServerStaysWithinTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
			times = append(times, time.Now())
			return nil, syscall.ECONNREFUSED
		}}
		client := clientOf(t, z, nil)
		start := time.Now()
		for time.Since(start) < time.Hour {
			err := get(t.Context(), client)
			e := requireAuthError(t, err)
			require.False(t, e.Permanent)
			require.False(t, e.RetryAt.Before(time.Now()))
			require.NotErrorIs(t, err, ErrTransport, "the pipeline would retry that")
			time.Sleep(time.Second)
		}
		for i := tokenBudget; i < len(times); i++ {
			require.Greater(t, times[i].Sub(times[i-tokenBudget]), 10*time.Minute)
		}
		require.Greater(t, len(times), 40, "but it goes on asking")
	})
}

func TestFailureOfATokenIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		z := &fakeZoho{answer: refusal("invalid_client")}
		client := clientOf(t, z, nil, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		for range 3 {
			requireAuthError(t, get(t.Context(), client))
		}
		require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), `level=WARN msg="salesiq token not renewed" cause="no access token: invalid_client`)
	})
}

func TestNoMoreThanTenTokensInTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		store, vault := newFaultyStore()
		client := clientOf(t, z, vault, WithLogger(slog.New(slog.DiscardHandler)))
		start := time.Now()
		for range 10 {
			require.NoError(t, get(t.Context(), client))
			z.revoke(z.seen()[len(z.seen())-1])
		}
		require.Equal(t, 10, z.requests())
		e := requireAuthError(t, get(t.Context(), client))
		require.ErrorIs(t, e, errBudget)
		require.Equal(t, start.Add(tokenWindow), e.RetryAt)
		require.Equal(t, start, time.Now(), "nobody waits")

		store.fail(func(context.Context) error { return errors.New("gone") }, nil)
		time.Sleep(tokenWindow)
		require.NoError(t, get(t.Context(), client), "what is known without the store is enough")
	})
}

// A25
func TestProcessesThatShareAStoreRequestTenTokensInTenMinutesTogether(t *testing.T) {
	t.Parallel()
	for name, newVault := range map[string]func(t *testing.T) func() *TokenVault{
		"a token file": func(t *testing.T) func() *TokenVault {
			path := filepath.Join(t.TempDir(), "token")
			return func() *TokenVault { return FileTokenStore(path, testKey) }
		},
		"a store with a lock": func(*testing.T) func() *TokenVault {
			store := &lockingStore{faultyStore: &faultyStore{}, lock: make(chan struct{}, 1)}
			return func() *TokenVault { return SealTokens(store, testKey) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := 0
				z := &fakeZoho{perToken: 100 * time.Millisecond, perCall: 10 * time.Millisecond}
				z.call = func(*http.Request) *http.Response { // Two of three calls come to a wrong region.
					if n++; n%3 == 0 {
						return answerWith(http.StatusOK, `{"status":"success","data":{"id":"c1"}}`)
					}
					return answerWith(http.StatusUnauthorized, `{"status":"error","code":"INVALID_TOKEN","message":"no"}`)
				}
				vault := newVault(t)
				processes := make([]*Client, 5)
				for i := range processes {
					processes[i] = clientOf(t, z, vault())
				}
				var group sync.WaitGroup
				start := time.Now()
				for i, process := range processes {
					group.Go(func() {
						for time.Since(start) < 9*time.Minute {
							time.Sleep(time.Duration(1000+37*i) * time.Millisecond)
							get(t.Context(), process) //nolint:errcheck // Most fail.
						}
					})
				}
				group.Wait()
				require.LessOrEqual(t, z.requests(), 10)
				require.GreaterOrEqual(t, z.requests(), 5)

				// A process that starts now knows of these requests.
				restarted := clientOf(t, z, vault())
				for range 5 {
					get(t.Context(), restarted) //nolint:errcheck // Most fail.
				}
				require.LessOrEqual(t, z.requests(), 10)

				z.mu.Lock()
				z.call = nil
				z.mu.Unlock()
				for _, process := range slices.Concat(processes, []*Client{restarted}) {
					require.NoError(t, get(t.Context(), process), "the token is good once the service is")
				}
			})
		})
	}
}

// A25
func TestRequestsThatAClockAheadHasDatedAreNotCounted(t *testing.T) {
	t.Parallel()
	for ahead, counted := range map[time.Duration]bool{
		time.Hour:                          false,
		time.Second + time.Millisecond:     false,
		time.Second:                        true, // Clocks differ by as much.
		-tokenWindow + 10*time.Millisecond: true,
		-tokenWindow + 9*time.Millisecond:  false, // One of them is too old.
	} {
		synctest.Test(t, func(t *testing.T) {
			z := &fakeZoho{}
			vault := NewMemoryTokenStore()
			token := Token{AccessToken: NewSecret("stored"), Expiry: time.Now().Add(time.Hour)}
			for n := range 10 {
				token.requests = append(token.requests, time.Now().Add(ahead-time.Duration(n)*time.Millisecond))
			}
			require.NoError(t, vault.Save(t.Context(), token))
			z.revoke("stored")
			err := get(t.Context(), clientOf(t, z, vault))
			if counted {
				require.ErrorIs(t, err, errBudget, ahead)
				return
			}
			require.NoError(t, err, ahead)
			require.Equal(t, 1, z.requests(), ahead)
		})
	}
}

// setBack returns a noted time as it compares once the wall clock was set back by so many
// seconds: its reading of the wall clock is as much ahead, and that of the monotonic clock, if
// the time has one, is what it was.
func setBack(t *testing.T, noted time.Time, seconds int64) time.Time {
	t.Helper()
	if !strings.Contains(noted.String(), "m=") {
		return noted.Add(time.Duration(seconds) * time.Second)
	}
	changed := noted
	*(*int64)(unsafe.Pointer(&changed)) += seconds << 30 // The comment of time.Time tells of these bits.
	require.Zero(t, changed.Sub(noted), "the monotonic clock")
	require.Equal(t, time.Duration(seconds)*time.Second, changed.Round(0).Sub(noted.Round(0)), "the wall clock")
	return changed
}

// setClockBack does to all that a refresher has noted what setBack does to a time. There is no
// monotonic clock in a bubble of synctest, so its tests are without one, and wait for nothing.
func setClockBack(t *testing.T, r *refresher, seconds int64) {
	t.Helper()
	f := r.finder
	stored, err := f.vault.Load(t.Context())
	require.NoError(t, err)
	for _, requests := range [][]time.Time{f.requests, stored.requests} {
		for i := range requests {
			requests[i] = setBack(t, requests[i], seconds)
		}
	}
	require.NoError(t, f.vault.Save(t.Context(), stored))
	if e := r.failure; e != nil {
		e.RetryAt, e.pauseEnds = setBack(t, e.RetryAt, seconds), setBack(t, e.pauseEnds, seconds)
	}
}

func TestOwnRequestsCountWhateverTheClockIsSetTo(t *testing.T) {
	t.Parallel()
	for _, seconds := range []int64{30, 3600, -3600} {
		z := &fakeZoho{}
		auth := RefreshToken(testCredentials, nil)
		client, err := NewClient(auth, WithHTTPClient(&http.Client{Transport: z}))
		require.NoError(t, err)
		start := time.Now()
		for range 10 {
			require.NoError(t, get(t.Context(), client))
			z.revoke(z.seen()[len(z.seen())-1])
		}
		require.Equal(t, 10, z.requests())
		r := auth.(*refreshAuth).refresher
		setClockBack(t, r, seconds)
		e := requireAuthError(t, get(t.Context(), client))
		require.ErrorIs(t, e, errBudget)
		require.Equal(t, 10, z.requests())
		require.WithinDuration(t, start.Add(tokenWindow), e.RetryAt, time.Minute, "as the clock is set now")
		require.Error(t, r.finder.spend(start.Add(tokenWindow-time.Second)))
		require.NoError(t, r.finder.spend(time.Now().Add(tokenWindow)))
	}
}

func TestPauseIsAsLongWhateverTheClockIsSetTo(t *testing.T) {
	t.Parallel()
	for code, pause := range map[string]time.Duration{"general_error": firstPause, "invalid_client": firstPermanentPause, "Access Denied": throttlePause} {
		for _, seconds := range []int64{3600, -3600} {
			z := &fakeZoho{answer: refusal(code)}
			r := refresherOf(t, z, nil)
			start := time.Now()
			_, err := r.Header(t.Context())
			require.Error(t, err)
			end := time.Now().Add(pause)
			setClockBack(t, r, seconds)
			require.True(t, r.failure.pauses(start.Add(pause-time.Nanosecond)), code)
			require.False(t, r.failure.pauses(end), code)
			r.lookAt = time.Time{}
			f := r.join(t.Context())
			<-f.done
			require.True(t, f.storeOnly, code)
			require.Equal(t, 1, z.requests(), code)
		}
	}
}

// Whoever is told of an error may read it at any time, in any goroutine.
func TestErrorThatATracerIsToldDoesNotChange(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"general_error", "invalid_code", "Access Denied"} {
		synctest.Test(t, func(t *testing.T) {
			var told []error
			var then []string
			tell := func(err error) {
				told, then = append(told, err), append(then, err.Error())
			}
			z := &fakeZoho{answer: refusal(code)}
			client := clientOf(t, z, nil, WithTracer(&Tracer{
				Call: func(context.Context, CallTrace) (context.Context, func(CallTrace)) {
					return nil, func(c CallTrace) { tell(c.Err) }
				},
				Attempt: func(context.Context, AttemptTrace) (context.Context, func(AttemptTrace)) {
					return nil, func(a AttemptTrace) { tell(a.Err) }
				},
				Request: func(context.Context, AttemptTrace) (context.Context, func(AttemptTrace)) {
					return nil, func(a AttemptTrace) { tell(a.Err) }
				},
				Refresh: func(context.Context, RefreshTrace) (context.Context, func(RefreshTrace)) {
					return nil, func(r RefreshTrace) {
						tell(r.Err)
						e, ok := errors.AsType[*AuthError](r.Err)
						require.True(t, ok)
						require.True(t, e.RetryAt.After(time.Now()), "it is known by then")
						go func() { _ = *e }() // The race detector knows of a write after this.
					}
				},
			}))
			for range 2 {
				requireAuthError(t, get(t.Context(), client))
				time.Sleep(time.Hour)
			}
			require.Len(t, told, 8)
			for i, err := range told {
				require.Equal(t, then[i], err.Error())
			}
		})
	}
}

func TestServiceThatRefusesEveryTokenCostsFewAndIsHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perCall: time.Millisecond, call: func(*http.Request) *http.Response {
			return answerWith(http.StatusUnauthorized, `{"status":"error","code":"INVALID_TOKEN","message":"no"}`)
		}}
		client := clientOf(t, z, nil)
		start := time.Now()
		for _, test := range []struct{ second, tokens int }{{0, 2}, {4, 2}, {6, 3}, {15, 3}, {17, 4}} {
			time.Sleep(time.Until(start.Add(time.Duration(test.second) * time.Second)))
			for _, err := range many(100, func() error { return get(t.Context(), client) }) {
				require.ErrorIs(t, err, ErrInvalidToken)
			}
			require.Equal(t, test.tokens, z.requests(), "after %d seconds", test.second)
		}
		for time.Since(start) < time.Hour {
			require.ErrorIs(t, get(t.Context(), client), ErrInvalidToken, "it is not the budget that fails")
			time.Sleep(time.Second)
		}
		require.Less(t, z.requests(), 15)

		z.mu.Lock()
		z.call = nil
		z.mu.Unlock()
		require.NoError(t, get(t.Context(), client), "the token is good once the service is")
	})
}

func TestAuthenticatorServesOneDataCenter(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	auth := RefreshToken(testCredentials, nil)
	transport := WithHTTPClient(&http.Client{Transport: z})
	first, err := NewClient(auth, transport, WithDataCenter(US))
	require.NoError(t, err)
	second, err := NewClient(auth, transport, WithDataCenter(US))
	require.NoError(t, err)
	require.NoError(t, get(t.Context(), first))
	require.NoError(t, get(t.Context(), second))
	require.Equal(t, 1, z.requests(), "both share one token")

	for why, option := range map[string]Option{
		"another data center":              WithDataCenter(EU),
		"another service, same OAuth host": WithBaseURL(EU.Hosts().API),
		"another OAuth host":               WithAccountsURL(EU.Hosts().Accounts),
	} {
		_, err = NewClient(auth, transport, WithDataCenter(US), option)
		require.ErrorIs(t, err, ErrInvalidInput, why)
	}
}

func TestAuthenticatorIsSafeForClientsMadeAtOnce(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	auth := RefreshToken(testCredentials, nil)
	for _, err := range many(10, func() error {
		client, err := NewClient(auth, WithHTTPClient(&http.Client{Transport: z}))
		if err != nil {
			return err
		}
		return get(t.Context(), client)
	}) {
		require.NoError(t, err)
	}
	require.Equal(t, 1, z.requests(), "all share one token")
}

func TestIncompleteCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	for field, auth := range map[string]Authenticator{
		"client ID":     RefreshToken(Credentials{ClientSecret: NewSecret("s"), RefreshToken: NewSecret("r")}, nil),
		"client secret": RefreshToken(Credentials{ClientID: "c", RefreshToken: NewSecret("r")}, nil),
		"refresh token": RefreshToken(Credentials{ClientID: "c", ClientSecret: NewSecret("s")}, nil),
		"access token":  StaticToken("a\r\nX: 1"),
		"token source":  TokenSource(nil),
		"token vault":   RefreshToken(testCredentials, new(TokenVault)),
		"token file":    RefreshToken(testCredentials, FileTokenStore("", make([]byte, 32))),
		"token store":   RefreshToken(testCredentials, SealTokens(nil, testKey)),
		"token key":     RefreshToken(testCredentials, FileTokenStore("token", make([]byte, 16))),
	} {
		_, err := NewClient(auth)
		var e *InputError
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, field, e.Field)
	}
	for _, auth := range []Authenticator{
		TokenSource((*ownSource)(nil)), RefreshToken(testCredentials, SealTokens((*lockingStore)(nil), testKey)),
	} {
		_, err := NewClient(auth)
		require.ErrorIs(t, err, ErrInvalidInput, "a nil pointer is nothing, either")
	}
	_, err := new(TokenVault).Load(t.Context())
	require.ErrorIs(t, err, ErrInvalidInput)
	require.ErrorIs(t, new(TokenVault).Save(t.Context(), Token{}), ErrInvalidInput)
}

// ownSource is a source of the user's.
type ownSource struct{ oauth2.TokenSource }

// lockingStore is what processes share: a token and a lock.
type lockingStore struct {
	*faultyStore

	lock chan struct{}
	err  error
}

func (s *lockingStore) Lock(ctx context.Context) (locked TokenStore, unlock func(), err error) {
	if s.err != nil {
		return nil, nil, s.err
	}
	select {
	case s.lock <- struct{}{}:
		return s.faultyStore, func() { <-s.lock }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func TestProcessesThatShareALockingStoreRequestOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{perToken: time.Second}
		store := &lockingStore{faultyStore: &faultyStore{}, lock: make(chan struct{}, 1)}
		var group sync.WaitGroup
		for range 4 {
			process := clientOf(t, z, SealTokens(store, testKey))
			group.Go(func() {
				for _, err := range many(25, func() error { return get(t.Context(), process) }) {
					assert.NoError(t, err)
				}
			})
		}
		group.Wait()
		require.Equal(t, 1, z.requests())
		require.Empty(t, store.lock, "each gives the lock back")
	})
}

// A15
func TestTokenFromTheStoreThatIsRefusedProvesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		store := NewMemoryTokenStore()
		save := func(token string, left time.Duration) {
			require.NoError(t, store.Save(t.Context(), Token{AccessToken: NewSecret(token), Expiry: time.Now().Add(left)}))
		}
		save("first", 30*time.Minute)
		client := clientOf(t, z, store)
		require.NoError(t, get(t.Context(), client))
		save("second", time.Hour)
		z.revoke("first")
		z.revoke("second")
		for range 50 {
			require.NoError(t, get(t.Context(), client))
		}
		require.Equal(t, 1, z.requests())
	})
}

// A2, A15
func TestRefusalOfAnOldTokenDoesNotUseUpTheRepeatOfANewOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		store := NewMemoryTokenStore()
		require.NoError(t, store.Save(t.Context(), Token{AccessToken: NewSecret("stored"), Expiry: time.Now().Add(time.Hour)}))
		z.revoke("stored")
		z.revoke("access-1")
		require.NoError(t, get(t.Context(), clientOf(t, z, store)))
		require.Equal(t, []string{"stored", "access-1", "access-2"}, z.seen())
	})
}

// A15, A16
func TestNoCallFailsWhereProcessesShareTokensThatAreRevoked(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer func(int, *tokenRequest) (*http.Response, error)
		vaults func(t *testing.T) []*TokenVault
	}{
		"a token file": {nil, func(t *testing.T) []*TokenVault {
			path := filepath.Join(t.TempDir(), "token")
			return []*TokenVault{FileTokenStore(path, testKey), FileTokenStore(path, testKey)}
		}},
		"a store without a lock, refresh tokens for one use": {rotating(), func(*testing.T) []*TokenVault {
			store := &faultyStore{}
			return []*TokenVault{SealTokens(store, testKey), SealTokens(store, testKey)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{perToken: 300 * time.Millisecond, perCall: 100 * time.Millisecond, answer: row.answer}
				calls, failed := 0, 0
				var mu sync.Mutex
				var group sync.WaitGroup
				ended := make(chan struct{})
				for i, vault := range row.vaults(t) {
					process := clientOf(t, z, vault)
					group.Go(func() {
						time.Sleep(time.Duration(i) * 777 * time.Millisecond)
						for {
							errs := many(4, func() error { return get(t.Context(), process) })
							mu.Lock()
							for _, err := range errs {
								if calls++; err != nil {
									failed++
									t.Log(err)
								}
							}
							mu.Unlock()
							select {
							case <-time.After(time.Duration(3+4*i) * time.Second):
							case <-ended:
								return
							}
						}
					})
				}
				group.Go(func() {
					defer close(ended)
					for range 12 {
						time.Sleep(130 * time.Second) // There are ten tokens in ten minutes.
						z.revokeLast()
						time.Sleep(2 * time.Second) // One process may have the next token by now, and the other not.
						z.revokeLast()
					}
				})
				group.Wait()
				require.Greater(t, calls, 1400)
				require.Zero(t, failed)
			})
		})
	}
}

// revokeLast revokes the token that the service saw last.
func (z *fakeZoho) revokeLast() {
	seen := z.seen()
	z.revoke(seen[len(seen)-1])
}

// rotating answers like a server whose refresh tokens are good for one use.
func rotating() func(int, *tokenRequest) (*http.Response, error) {
	var mu sync.Mutex
	good, given := "refresh-token", 0
	return func(_ int, r *tokenRequest) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if r.form.Get("refresh_token") != good {
			return answerWith(http.StatusOK, `{"error":"invalid_code"}`), nil
		}
		given++
		good = fmt.Sprint("refresh-", given)
		return answerWith(http.StatusOK, tokenJSON(0, map[string]any{"access_token": fmt.Sprint("access-", given), "refresh_token": good})), nil
	}
}

// A16
func TestWhoComesSecondWithARefreshTokenForOneUseIsNotLockedOut(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]time.Duration{"a store": 0, "a slow store": 500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{perToken: time.Second, answer: rotating()}
				store := &faultyStore{} // It has no lock.
				store.fail(nil, func(context.Context) error { time.Sleep(slow); return nil })
				var processes []*Client
				for range 4 {
					processes = append(processes, clientOf(t, z, SealTokens(store, testKey)))
				}
				for range 24 {
					var group sync.WaitGroup
					for _, process := range processes {
						group.Go(func() { assert.NoError(t, get(t.Context(), process)) })
					}
					group.Wait()
					time.Sleep(time.Hour)
				}
			})
		})
	}
}

// A17
func TestStoreIsReadWhileNoTokenIsRequested(t *testing.T) {
	t.Parallel()
	for code, stored := range map[string]Token{
		"Access Denied": {AccessToken: NewSecret("theirs")},
		"invalid_code":  {AccessToken: NewSecret("theirs")},
		"invalid_grant": {RefreshToken: NewSecret("signed-in-again")},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z := &fakeZoho{answer: func(n int, r *tokenRequest) (*http.Response, error) {
					if r.form.Get("refresh_token") == "signed-in-again" {
						return answerWith(http.StatusOK, tokenJSON(n, map[string]any{"access_token": "theirs"})), nil
					}
					return refusal(code)(n, r)
				}}
				store := NewMemoryTokenStore()
				client := clientOf(t, z, store)
				for range 10 {
					requireAuthError(t, get(t.Context(), client))
				}
				time.Sleep(3 * time.Second)
				stored.Expiry, stored.Grant = time.Now().Add(time.Hour), fingerprint(testCredentials.RefreshToken)
				require.NoError(t, store.Save(t.Context(), stored))
				for _, err := range many(100, func() error { return get(t.Context(), client) }) {
					require.NoError(t, err)
				}
				require.LessOrEqual(t, z.requests(), 2)
				require.Equal(t, "theirs", z.seen()[99])
			})
		})
	}
}

// A17
func TestStoreIsNotReadAtEachCallWhileNoTokenIsRequested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{answer: refusal("Access Denied")}
		store, vault := newFaultyStore()
		client := clientOf(t, z, vault)
		requireAuthError(t, get(t.Context(), client))
		loads := 0
		store.fail(func(context.Context) error { loads++; return errors.New("gone") }, nil)
		for range 1000 {
			require.ErrorContains(t, get(t.Context(), client), "Access Denied", "what is known already")
			time.Sleep(10 * time.Millisecond)
		}
		require.LessOrEqual(t, loads, 10)
		require.Equal(t, 1, z.requests())
	})
}

func TestTokenIsRenewedWithoutALockThatCannotBeHad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := &fakeZoho{}
		held := make(chan struct{}, 1)
		held <- struct{}{} // The holder of the lock is dead.
		for i, store := range []TokenStore{
			&lockingStore{faultyStore: &faultyStore{}, lock: held},
			&lockingStore{faultyStore: &faultyStore{}, err: errors.New("gone")},
		} {
			require.NoError(t, get(t.Context(), clientOf(t, z, SealTokens(store, testKey))))
			require.Equal(t, i+1, z.requests())
		}
	})
}

// boundLock is a lock that comes after a time, and is given back as unlock does.
type boundLock struct {
	*faultyStore

	unlock func()
	wait   time.Duration
}

func (s boundLock) Lock(context.Context) (locked TokenStore, unlock func(), err error) {
	time.Sleep(s.wait)
	return s.faultyStore, s.unlock, nil
}

func TestLockThatComesTooLateIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var unlocked atomic.Int32
		store := boundLock{&faultyStore{}, func() { unlocked.Add(1) }, lockTimeout + time.Second}
		require.NoError(t, get(t.Context(), clientOf(t, &fakeZoho{}, SealTokens(store, testKey))))
		require.Zero(t, unlocked.Load())
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, unlocked.Load())
	})
}

func TestLockThatIsNotGivenBackFailsNoCallAndIsLogged(t *testing.T) {
	t.Parallel()
	for why, row := range map[string]struct {
		store TokenStore
		took  time.Duration
		said  string
	}{
		"unlocked":              {boundLock{&faultyStore{}, func() {}, 0}, 0, ""},
		"a panic":               {boundLock{&faultyStore{}, func() { panic("no") }, 0}, 0, "not unlocked"},
		"silence":               {boundLock{&faultyStore{}, func() { time.Sleep(time.Minute) }, 0}, 5 * time.Second, "not unlocked"},
		"nothing to unlock":     {boundLock{&faultyStore{}, nil, 0}, 0, "not locked"},
		"an error":              {&lockingStore{faultyStore: &faultyStore{}, err: errors.New("gone")}, 0, "not locked"},
		"a lock that is stuck":  {&lockingStore{faultyStore: &faultyStore{}}, 15 * time.Second, "not locked"},
		"a store without locks": {&faultyStore{}, 0, ""},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				start := time.Now()
				client := clientOf(t, &fakeZoho{}, SealTokens(row.store, testKey), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				require.NoError(t, get(t.Context(), client))
				require.Equal(t, row.took, time.Since(start))
				require.Equal(t, row.said != "", strings.Contains(log.String(), row.said) && log.Len() > 0, log.String())
				time.Sleep(time.Minute) // Until all have returned.
			})
		})
	}
}

// BenchmarkTokenHeader is the hot path: no lock, no allocation.
func BenchmarkTokenHeader(b *testing.B) {
	c := defaultConfig()
	if err := c.finish(); err != nil {
		b.Fatal(err)
	}
	r := newRefresher(c, &testCredentials, NewMemoryTokenStore(), nil)
	r.current.Store(newBearer(Token{AccessToken: NewSecret("access"), Expiry: time.Now().Add(24 * time.Hour)}, time.Now()))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Header(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTokenHeaderAllocatesNothing(t *testing.T) { // Not parallel: others would be counted.
	r := refresherOf(t, &fakeZoho{}, nil)
	_, err := r.Header(t.Context())
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = r.Header(t.Context())
	}))
}

func TestRefusedTokenUnderAnyNameIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"INVALID_TOKEN", "AUTHENTICATION_FAILURE", "INVALID_OAUTHTOKEN", "invalid_oauthtoken", "INVALID_TICKET",
		"INVALID_OAUTH", "1002", "1008",
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden} {
			z := &fakeZoho{}
			z.call = func(r *http.Request) *http.Response {
				if strings.HasSuffix(r.Header.Get("Authorization"), "access-1") {
					return answerWith(status, fmt.Sprintf(`{"status":"error","code":%q,"message":"m"}`, code))
				}
				return answerWith(http.StatusOK, `{"status":"success","data":{"id":"c1"}}`)
			}
			require.NoError(t, get(t.Context(), clientOf(t, z, nil)), "%s with %d", code, status)
			require.Equal(t, 2, z.requests())

			z.call = func(*http.Request) *http.Response {
				return answerWith(status, fmt.Sprintf(`{"status":"error","code":%q,"message":"m"}`, code))
			}
			err := get(t.Context(), clientOf(t, z, nil))
			require.ErrorIs(t, err, ErrInvalidToken)
			require.Equal(t, 4, z.requests(), "once, and not again")
		}
	}
}

func TestNewTokenThatIsRefusedSuggestsTheRegion(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	z.revoke("access-1")
	z.revoke("access-2")
	err := get(t.Context(), clientOf(t, z, nil))
	require.ErrorContains(t, err, "the account probably lives in another data center than US: OAuth.Find tells which")
	var e *Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Remedy)

	static, err := NewClient(StaticToken("access-1"), WithHTTPClient(&http.Client{Transport: z}))
	require.NoError(t, err)
	require.ErrorContains(t, get(t.Context(), static), "too old")
}

func TestScopesOfAConsentAreKnownAfterARefreshThatNamesNone(t *testing.T) {
	t.Parallel()
	store := NewMemoryTokenStore()
	require.NoError(t, store.Save(t.Context(), Token{RefreshToken: testCredentials.RefreshToken, Scopes: []Scope{ScopeChatsRead}}))
	r := refresherOf(t, &fakeZoho{}, store)
	header, err := r.Header(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Scope{ScopeChatsRead}, r.scopes())

	require.NoError(t, store.Save(t.Context(), Token{RefreshToken: testCredentials.RefreshToken})) // Of a process that knows of none.
	require.Equal(t, transport.TokenDropped, r.Rejected(header))
	_, err = r.Header(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Scope{ScopeChatsRead}, r.scopes())
}

func TestRefusedTokenIsRenewedAlsoWhereItsNameIsAllThatIsSaid(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"invalid_token", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE"} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden} {
			z := &fakeZoho{}
			z.call = func(r *http.Request) *http.Response {
				if strings.HasSuffix(r.Header.Get("Authorization"), "access-1") {
					return answerWith(status, fmt.Sprintf(`{"error":%q}`, name))
				}
				return answerWith(http.StatusOK, `{"status":"success","data":{"id":"c1"}}`)
			}
			require.NoError(t, get(t.Context(), clientOf(t, z, nil)), "%s with %d", name, status)
			require.Equal(t, 2, z.requests())
		}
	}
	for _, body := range []string{`{"error":"OAUTH_SCOPE_MISMATCH"}`, `{"status":"error","code":"1009"}`} {
		z := &fakeZoho{call: func(*http.Request) *http.Response { return answerWith(http.StatusUnauthorized, body) }}
		err := get(t.Context(), clientOf(t, z, nil))
		require.ErrorIs(t, err, ErrInvalidOAuthScope, body)
		require.ErrorContains(t, err, "SalesIQ.chats.READ", body)
		require.Equal(t, 1, z.requests(), "%s: another token would not help", body)
	}
}

func TestStoredTokenOfAnotherRegionIsRefusedWithTheOptionToChange(t *testing.T) {
	t.Parallel()
	for server, remedy := range map[string]string{
		"https://accounts.zoho.in": "use WithDataCenter(salesiq.IN), or sign in again",
		"https://sso.corp.com":     "use that server, or sign in again",
	} {
		vault := NewMemoryTokenStore()
		require.NoError(t, vault.Save(t.Context(), Token{RefreshToken: NewSecret("r"), AccountsURL: server}))
		client, err := NewClient(RefreshToken(Credentials{ClientID: "id", ClientSecret: NewSecret("s")}, vault), WithHTTPClient(&http.Client{Transport: &fakeZoho{}}))
		require.NoError(t, err)
		err = get(t.Context(), client)
		require.ErrorIs(t, err, ErrWrongDataCenter)
		require.ErrorContains(t, err, remedy)
	}
}

func TestAcceptanceCountsForTheTokenThatWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := refresherOf(t, &fakeZoho{}, nil)
		header := headerOf(t, r)
		first := header()
		require.Equal(t, transport.TokenDropped, r.Rejected(first))
		r.Accepted(first) // It is dropped already, and there is none.
		second := header()
		r.Accepted(first)
		require.True(t, r.refusesNewTokens(), "the second token has not been accepted")
		r.Accepted(second)
		require.False(t, r.refusesNewTokens())
		require.True(t, r.current.Load().accepted.Load(), "from now on, no call takes the lock")
	})
}

func TestSelfClientHasTheScopesThatItAsksForUnlessItIsTold(t *testing.T) {
	t.Parallel()
	for told, want := range map[string]Scope{"": ScopeChatsRead, "SalesIQ.apps.READ": "SalesIQ.apps.READ"} {
		z := &fakeZoho{answer: func(n int, _ *tokenRequest) (*http.Response, error) {
			return answerWith(http.StatusOK, tokenJSON(n, map[string]any{"scope": told})), nil
		}}
		r := bindTo(t, z, Credentials{ClientID: "id", ClientSecret: NewSecret("s")}.SelfClient(nil, "", ScopeChatsRead))
		_, err := r.Header(t.Context())
		require.NoError(t, err)
		require.Equal(t, []Scope{want}, r.scopes())
	}
}
