package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/digitalocean/godo"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-resty/resty/v2"
	"github.com/google/go-github/v89/github"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"golang.org/x/oauth2"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/salesiq-go/salesiq"
)

// The names of the contenders that others are compared with.
const (
	ours        = "**salesiq**"
	handWritten = "hand-written: net/http, io.ReadAll, encoding/json"
	handTuned   = "hand-tuned: net/http, pooled buffer, our codec"
)

const token = "1000.benchmark"

// client is one way to make the two calls.
type client struct {
	list func(ctx context.Context) ([]salesiq.Chat, error)
	chat func(ctx context.Context, id string) (*salesiq.Chat, error)
}

// contender is what somebody might pick. Dial prepares it for a service at a base
// URL, to be reached through a transport.
type contender struct {
	name string
	peer bool // A library made for such calls.
	dial func(base string, wire http.RoundTripper) (client, error)
}

// contenders are all that make the same calls and decode the same bytes into
// the same type. Each is used as its documentation shows it.
var contenders = []contender{
	{name: handWritten, dial: plain(readAll)},
	{name: "hand-written: net/http, json.Decoder", dial: plain(decode)},
	{name: handTuned, dial: plain(tuned)},
	{name: ours, dial: dialSDK},
	{name: "go-retryablehttp", peer: true, dial: dialRetryable},
	{name: "oauth2.Transport", peer: true, dial: dialOAuth},
	{name: "oauth2.Transport over go-retryablehttp", peer: true, dial: dialBoth},
	{name: "resty v2", peer: true, dial: dialResty},
	{name: "godo", peer: true, dial: dialGodo},
	{name: "go-github", peer: true, dial: dialGitHub},
	{name: "hcloud-go", peer: true, dial: dialHCloud},
	{name: "openai-go", peer: true, dial: dialOpenAI},
}

func dialSDK(base string, wire http.RoundTripper) (client, error) {
	opts := []salesiq.Option{salesiq.WithBaseURL(base)}
	if wire != nil {
		opts = append(opts, salesiq.WithHTTPClient(&http.Client{Transport: wire}))
	}
	sdk, err := salesiq.NewClient(salesiq.StaticToken(token), opts...)
	if err != nil {
		return client{}, err
	}
	return client{
		list: func(ctx context.Context) ([]salesiq.Chat, error) {
			page, err := sdk.Chats.List(ctx, &salesiq.ChatListParams{Page: 1, PerPage: chatsPerPage})
			if err != nil {
				return nil, err
			}
			return page.Items, nil
		},
		chat: func(ctx context.Context, id string) (*salesiq.Chat, error) { return sdk.Chats.Get(ctx, id) },
	}, nil
}

// getter sends a GET to a path and decodes the answer into out.
type getter func(ctx context.Context, path string, out any) error

// client makes the calls with a getter.
func (get getter) client() client {
	return client{
		list: func(ctx context.Context) ([]salesiq.Chat, error) {
			var out listAnswer
			err := get(ctx, listPath, &out)
			return out.Data, err
		},
		chat: func(ctx context.Context, id string) (*salesiq.Chat, error) {
			var out chatAnswer
			err := get(ctx, "/api/v2/chats/"+url.PathEscape(id), &out)
			return out.Data, err
		},
	}
}

// httpClient is an http.Client as one makes it, except for the timeout that
// nobody should leave out.
func httpClient(wire http.RoundTripper) *http.Client {
	if wire == nil {
		wire = http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // The standard library's own.
	}
	return &http.Client{Transport: wire, Timeout: 30 * time.Second}
}

// plain calls with net/http alone; take reads the answer.
func plain(take func(response *http.Response, out any) error) func(string, http.RoundTripper) (client, error) {
	return func(base string, wire http.RoundTripper) (client, error) {
		return with(base, httpClient(wire).Do, true, take).client(), nil
	}
}

// with returns a getter around a func that sends a request.
func with(base string, do func(*http.Request) (*http.Response, error), signed bool, take func(*http.Response, any) error) getter {
	return func(ctx context.Context, path string, out any) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, http.NoBody)
		if err != nil {
			return err
		}
		request.Header.Set("Accept", "application/json")
		if signed {
			request.Header.Set("Authorization", "Zoho-oauthtoken "+token)
		}
		response, err := do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %s", response.Status)
		}
		return take(response, out)
	}
}

func readAll(response *http.Response, out any) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, out)
}

func decode(response *http.Response, out any) error {
	return json.NewDecoder(response.Body).Decode(out)
}

var (
	tunedBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	tunedOptions = jsonv2.JoinOptions(
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsonv2.MatchCaseInsensitiveNames(true))
)

func tuned(response *http.Response, out any) error {
	buffer := tunedBuffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // The pool holds nothing else.
	defer tunedBuffers.Put(buffer)
	buffer.Reset()
	buffer.Grow(int(max(response.ContentLength, 0)) + bytes.MinRead)
	if _, err := buffer.ReadFrom(response.Body); err != nil {
		return err
	}
	return jsonv2.Unmarshal(buffer.Bytes(), out, tunedOptions)
}

func newRetryable() *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.Logger = nil
	return c
}

func retryable(wire http.RoundTripper) *retryablehttp.Client {
	c := newRetryable()
	c.HTTPClient = httpClient(wire)
	return c
}

func dialRetryable(base string, wire http.RoundTripper) (client, error) {
	return with(base, retryable(wire).StandardClient().Do, true, readAll).client(), nil
}

func signedBy(wire http.RoundTripper) *http.Client {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token, TokenType: "Zoho-oauthtoken"}) //nolint:gosec // A made-up one.
	c := httpClient(wire)
	c.Transport = &oauth2.Transport{Source: source, Base: c.Transport}
	return c
}

func dialOAuth(base string, wire http.RoundTripper) (client, error) {
	return with(base, signedBy(wire).Do, false, readAll).client(), nil
}

func dialBoth(base string, wire http.RoundTripper) (client, error) {
	return with(base, signedBy(&retryablehttp.RoundTripper{Client: retryable(wire)}).Do, false, readAll).client(), nil
}

func dialResty(base string, wire http.RoundTripper) (client, error) {
	c := resty.NewWithClient(httpClient(wire)).SetBaseURL(base).SetAuthScheme("Zoho-oauthtoken").SetAuthToken(token)
	return getter(func(ctx context.Context, path string, out any) error {
		response, err := c.R().SetContext(ctx).SetResult(out).Get(path)
		if err == nil && response.IsError() {
			err = fmt.Errorf("status %s", response.Status())
		}
		return err
	}).client(), nil
}

func dialGodo(base string, wire http.RoundTripper) (client, error) {
	c, err := godo.New(signedBy(wire), godo.SetBaseURL(base))
	return getter(func(ctx context.Context, path string, out any) error {
		request, err := c.NewRequest(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		_, err = c.Do(ctx, request, out)
		return err
	}).client(), err
}

func dialGitHub(base string, wire http.RoundTripper) (client, error) {
	base += "/"
	c, err := github.NewClient(github.WithHTTPClient(httpClient(wire)), github.WithAuthToken(token), github.WithURLs(&base, nil))
	return getter(func(ctx context.Context, path string, out any) error {
		request, err := c.NewRequest(ctx, http.MethodGet, strings.TrimPrefix(path, "/"), nil)
		if err != nil {
			return err
		}
		_, err = c.Do(request, out)
		return err
	}).client(), err
}

func dialHCloud(base string, wire http.RoundTripper) (client, error) {
	c := hcloud.NewClient(hcloud.WithEndpoint(base), hcloud.WithToken(token), hcloud.WithHTTPClient(httpClient(wire)))
	return getter(func(ctx context.Context, path string, out any) error {
		request, err := c.NewRequest(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		_, err = c.Do(request, out)
		return err
	}).client(), nil
}

func dialOpenAI(base string, wire http.RoundTripper) (client, error) {
	c := openai.NewClient(option.WithBaseURL(base+"/"), option.WithAPIKey(token), option.WithHTTPClient(httpClient(wire)))
	return getter(func(ctx context.Context, path string, out any) error {
		return c.Get(ctx, strings.TrimPrefix(path, "/"), nil, out)
	}).client(), nil
}
