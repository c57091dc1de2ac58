package salesiq_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

const hidden = "do-not-show-this"

// everyWay prints, logs and encodes a value in every way that Go programs do.
func everyWay(t testing.TB, v any) map[string]string {
	t.Helper()
	ways := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T %v"} {
		ways[verb] = fmt.Sprintf(verb, v)
	}
	ways["Sprint"] = fmt.Sprint(v, []any{v}, map[string]any{"k": v})
	ways["error"] = fmt.Errorf("wrapped: %v", v).Error()
	for name, marshal := range map[string]func(any) ([]byte, error){
		"encoding/json":    json.Marshal,
		"encoding/json v2": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		data, err := marshal(v)
		require.NoError(t, err, name)
		ways[name] = string(data)
	}
	var text, jsonLog bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	slog.New(slog.NewJSONHandler(&jsonLog, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	ways["slog text"], ways["slog JSON"] = text.String(), jsonLog.String()
	return ways
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	secret := salesiq.Secret(hidden)
	for _, value := range []any{
		secret, &secret, []salesiq.Secret{secret}, map[string]salesiq.Secret{"k": secret},
		salesiq.Set(secret), new(salesiq.Set(secret)), salesiq.Set([]salesiq.Secret{secret}),
		salesiq.Webhook{Secret: secret}, &salesiq.Webhook{Secret: secret}, []salesiq.Webhook{{Secret: secret}},
		salesiq.WebhookCreate{Secret: secret}, salesiq.WebhookUpdate{Secret: salesiq.Set(secret)},
		&salesiq.WebhookUpdate{Secret: salesiq.Set(secret)},
		salesiq.Page[salesiq.Webhook]{Items: []salesiq.Webhook{{Secret: secret}}},
		salesiq.Set(salesiq.WebhookCreate{Secret: secret}),
	} {
		for way, shown := range everyWay(t, value) {
			assert.NotContains(t, shown, hidden, "%T through %s", value, way)
			assert.NotContains(t, shown, fmt.Sprintf("%x", hidden), "%T through %s", value, way)
		}
	}
	data, err := xml.Marshal(secret)
	require.NoError(t, err)
	assert.NotContains(t, string(data), hidden)
}

func TestSecretsCanBeRevealedAndSeenToBeThere(t *testing.T) {
	t.Parallel()
	assert.Equal(t, hidden, salesiq.Secret(hidden).Reveal())
	assert.Equal(t, salesiq.Redacted, salesiq.Secret(hidden).String())
	assert.Equal(t, `"`+salesiq.Redacted+`"`, fmt.Sprintf("%#v", salesiq.Secret(hidden)))
	assert.Empty(t, salesiq.Secret("").String(), "whoever debugs sees that there is none")
}

func TestOptPrintsAsItsValue(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "away", fmt.Sprint(salesiq.Set(salesiq.OperatorAway)))
	assert.Equal(t, "007", fmt.Sprintf("%03d", salesiq.Set(7)))
	assert.Equal(t, "null", fmt.Sprint(salesiq.Null[int]()))
	assert.Equal(t, "unset", fmt.Sprint(salesiq.Opt[int]{}))
	assert.Equal(t, "{Name:Ada Email:null Phone:unset Company:unset CustomFields:unset Extra:map[]}",
		fmt.Sprintf("%+v", salesiq.VisitorUpdate{Name: salesiq.Set("Ada"), Email: salesiq.Null[string]()}))
}
