package transport

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// tracer is the link that counts attempts and reports them to the log. What it
// logs is an allow-list: no body, no query, no header but the request's id.
type tracer struct {
	next   http.RoundTripper
	logger *slog.Logger
}

func (t *tracer) RoundTrip(request *http.Request) (*http.Response, error) {
	c := callOf(request.Context())
	c.answer.Attempts++
	if t.logger == nil {
		return t.next.RoundTrip(request)
	}
	start := time.Now()
	response, err := t.next.RoundTrip(request)
	t.log(request.Context(), c, time.Since(start), response, err)
	return response, err
}

func (t *tracer) log(ctx context.Context, c *call, took time.Duration, response *http.Response, err error) {
	var status int
	var id, code string
	level := slog.LevelDebug
	if err == nil {
		status, id = response.StatusCode, requestID(response.Header, response.Body.(*body).hide) //nolint:forcetypeassert // The sender put it there.
	} else {
		f := failureOf(err)
		level, status, id, code = slog.LevelWarn, f.Status, f.RequestID, f.Answer.Code
	}
	t.logger.LogAttrs(ctx, level, "salesiq attempt",
		slog.String("operation", c.request.Operation),
		slog.String("method", c.request.Method),
		slog.Int("attempt", c.answer.Attempts),
		slog.Int("status", status),
		slog.String("code", code),
		slog.Duration("duration", took),
		slog.String("request_id", id))
}
