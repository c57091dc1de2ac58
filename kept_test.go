package salesiq_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/webhook"
)

var keep = flag.String("keep", "", "the file to keep objects in, written by this version of Go")

// keptTypes returns a zero value of each exported struct that keeps unknown members, by
// its name.
func keptTypes(t testing.TB) map[string]reflect.Type {
	t.Helper()
	kept := map[string]reflect.Type{}
	for name, examples := range exampleTypes(t) {
		for _, example := range examples {
			kind := reflect.TypeOf(example)
			if kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			if kind.Kind() != reflect.Struct || kind.PkgPath() == "" {
				continue
			}
			if extra, ok := kind.FieldByName("Extra"); ok && extra.Tag.Get("json") == ",embed" {
				kept[name] = kind
			}
		}
	}
	require.GreaterOrEqual(t, len(kept), 65)
	return kept
}

// aKept returns an object with something in every field that may be kept. Secrets may not.
func aKept(kind reflect.Type) reflect.Value {
	object := reflect.New(kind)
	occupy(object.Elem(), kind.Name())
	return object
}

var optName = reflect.TypeFor[salesiq.Opt[int]]().Name()[:len("Opt[")]

// occupy puts something into v, always the same.
func occupy(v reflect.Value, name string) {
	switch at := v.Addr().Interface().(type) {
	case *salesiq.Secret, *webhook.EventInfo, *live.EventEnvelope:
		return
	case *time.Time:
		*at = time.Date(2026, 2, 3, 8, 0, 0, 120e6, time.UTC)
		return
	case *json.RawMessage:
		*at = json.RawMessage(`[1,"two",null,12345678901234567890,0.10]`)
		return
	case *map[string]json.RawMessage:
		*at = map[string]json.RawMessage{"x_news": json.RawMessage(`{"deep":[1,null,12345678901234567890]}`), "x_none": json.RawMessage("null")}
		return
	case *any:
		*at = json.Number("12345678901234567891")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(name + " <ü>")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		occupy(v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		occupy(v.Index(0), name)
	case reflect.Map:
		item := reflect.New(v.Type().Elem()).Elem()
		occupy(item, name)
		v.Set(reflect.MakeMap(v.Type()))
		key := reflect.New(v.Type().Key()).Elem()
		occupy(key, "x_"+name)
		v.SetMapIndex(key, item)
	case reflect.Struct:
		if strings.HasPrefix(v.Type().Name(), optName) {
			get, _ := v.Type().MethodByName("Get")
			value := reflect.New(get.Type.Out(0))
			occupy(value.Elem(), name)
			text, err := json.Marshal(value.Interface())
			if err == nil {
				err = json.Unmarshal(text, v.Addr().Interface())
			}
			if err != nil {
				panic(err)
			}
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				occupy(v.Field(i), v.Type().Field(i).Name)
			}
		}
	}
}

// assertKept compares but for secrets, which are not kept.
func assertKept(t *testing.T, want, got any, why string) {
	t.Helper()
	forget := func(v any) any {
		copied := reflect.New(reflect.TypeOf(v).Elem())
		copied.Elem().Set(reflect.ValueOf(v).Elem())
		for _, part := range copied.Elem().Fields() {
			switch field := part.Addr().Interface().(type) {
			case *salesiq.Secret:
				*field = salesiq.Secret{}
			case *salesiq.Opt[salesiq.Secret]:
				*field = salesiq.Opt[salesiq.Secret]{}
			}
		}
		return copied.Interface()
	}
	assert.Equal(t, forget(want), forget(got), why)
}

func TestAnObjectKeptAsJSONHasOneShapeForEver(t *testing.T) {
	t.Parallel()
	if *keep != "" {
		writeKept(t, *keep)
	}
	kept := keptTypes(t)
	for _, file := range []string{"go1.26", "go1.27"} {
		for name, text := range readKept(t, "testdata/kept/"+file+".json") {
			require.Contains(t, kept, name)
			object := aKept(kept[name])
			now, err := json.Marshal(object.Interface())
			require.NoError(t, err)
			assert.Equal(t, string(text), string(now), "%s: %s", file, name)
		}
	}
	// The files that begin with "old" were written when encoding/json did as it liked: on Go
	// 1.26, unknown members were in one of their own. Types that have other fields since
	// then, before any release, are left out.
	for _, file := range []string{"go1.26", "go1.27", "old-go1.26", "old-go1.27"} {
		all := readKept(t, "testdata/kept/"+file+".json")
		require.GreaterOrEqual(t, len(all), 50)
		for name, text := range all {
			read := reflect.New(kept[name])
			require.NoError(t, json.Unmarshal(text, read.Interface()), "%s: %s", file, name)
			assertKept(t, aKept(kept[name]).Interface(), read.Interface(), file+": "+name)
		}
	}
}

func readKept(t testing.TB, path string) (objects map[string]json.RawMessage) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &objects))
	for name := range objects {
		compact, err := json.Marshal(objects[name])
		require.NoError(t, err)
		objects[name] = compact
	}
	return objects
}

func writeKept(t testing.TB, path string) {
	t.Helper()
	objects := map[string]any{}
	for name, kind := range keptTypes(t) {
		objects[name] = aKept(kind).Interface()
	}
	text, err := json.MarshalIndent(objects, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
}

// Wherever an object is, it is written alike, and comes back.
func TestEveryObjectKeepsItsShapeWhereverItIs(t *testing.T) {
	t.Parallel()
	for name, kind := range keptTypes(t) {
		object := aKept(kind)
		alone, err := json.Marshal(object.Interface())
		require.NoError(t, err, name)
		assert.NotContains(t, string(alone), `"Extra":`, name)
		byValue, err := json.Marshal(object.Elem().Interface())
		require.NoError(t, err, name)
		assert.Equal(t, string(alone), string(byValue), name)

		none, err := json.Marshal(reflect.New(kind).Interface())
		require.NoError(t, err, name)
		assert.NotContains(t, string(none), `"Extra":`, name)

		type users struct {
			Value   any            `json:"value"`
			List    any            `json:"list"`
			ByName  map[string]any `json:"by_name"`
			Pointer any            `json:"pointer"`
		}
		list := reflect.MakeSlice(reflect.SliceOf(kind), 1, 1)
		list.Index(0).Set(object.Elem())
		text, err := json.Marshal(users{object.Elem().Interface(), list.Interface(), map[string]any{"a": object.Interface()}, object.Interface()})
		require.NoError(t, err, name)
		want := `{"value":` + string(alone) + `,"list":[` + string(alone) + `],"by_name":{"a":` + string(alone) + `},"pointer":` + string(alone) + `}`
		assert.Equal(t, want, string(text), name)

		read := users{Value: reflect.New(kind).Interface(), List: reflect.New(list.Type()).Interface(), Pointer: reflect.New(kind).Interface()}
		require.NoError(t, json.Unmarshal(text, &read), name)
		assertKept(t, object.Interface(), read.Value, name)
		assertKept(t, object.Interface(), read.Pointer, name)
		assertKept(t, object.Interface(), reflect.ValueOf(read.List).Elem().Index(0).Addr().Interface(), name)
	}
}

func TestAnObjectOfTheWireIsKeptMemberByMember(t *testing.T) {
	t.Parallel()
	const members = `{"id":"c1","rating":4,"custom_fields":{"order":12345678901234567890,"share":0.1},"tags":null,` +
		`"transcript":[{"id":"m1","message":"a <b> & ü","timestamp":"2026-02-03T08:00:00.000Z","score":1e2}],` +
		`"visitor_info":{"name":"Ada","CITY":"Utrecht","x":null},"ended_at":null,"channel":"web","_id":1,"visitor-id":"v"}`
	var chat salesiq.Chat
	require.NoError(t, json.Unmarshal([]byte(members), &chat))
	assert.Equal(t, "Utrecht", chat.VisitorInfo.City, "by case alone")
	assert.Empty(t, chat.VisitorID, "not by a dash")
	kept, err := json.Marshal(chat)
	require.NoError(t, err)
	var want, got map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(members), &want))
	require.NoError(t, json.Unmarshal(kept, &got))
	for _, name := range []string{"id", "rating", "custom_fields", "tags", "ended_at", "channel", "_id", "visitor-id"} {
		assert.Equal(t, string(want[name]), string(got[name]), name)
	}
	assert.Contains(t, string(got["transcript"]), `"score":1e2`)
	assert.Contains(t, string(got["visitor_info"]), `"x":null`)

	var again salesiq.Chat
	require.NoError(t, json.Unmarshal(kept, &again))
	assert.Equal(t, chat, again)
	require.NoError(t, json.Unmarshal([]byte("null"), &again))
	assert.Equal(t, chat, again, "null changes nothing, as with any struct")
}

// An old file may hold what was unknown then, and has a field now.
func TestAnOldFileIsReadIntoTheFieldsOfToday(t *testing.T) {
	t.Parallel()
	var chat salesiq.Chat
	require.NoError(t, json.Unmarshal([]byte(`{"id":"c1","Extra":{"rating":5,"channel":"web"},
		"visitor_info":{"name":"Ada","Extra":null},"transcript":[{"Extra":{"x":12345678901234567890}}]}`), &chat))
	assert.Equal(t, salesiq.Chat{
		ID: "c1", Rating: new(5), Extra: map[string]json.RawMessage{"channel": json.RawMessage(`"web"`)},
		VisitorInfo: salesiq.VisitorInfo{Name: "Ada"},
		Transcript:  []salesiq.Message{{Extra: map[string]json.RawMessage{"x": json.RawMessage("12345678901234567890")}}},
	}, chat)

	var update salesiq.BrandUpdate
	require.NoError(t, json.Unmarshal([]byte(`{"Extra":{"a":12345678901234567890},"widget_settings":{"theme_color":"#000","Extra":{"b":1}}}`), &update))
	assert.Equal(t, map[string]any{"a": json.Number("12345678901234567890")}, update.Extra)
	settings, ok := update.WidgetSettings.Get()
	require.True(t, ok)
	assert.Equal(t, map[string]any{"b": 1.0}, settings.Extra)

	chat = salesiq.Chat{}
	require.NoError(t, json.Unmarshal([]byte(`{"Extra":"of the service"}`), &chat))
	assert.Equal(t, `"of the service"`, string(chat.Extra["Extra"]))
}

func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	for _, object := range []any{
		salesiq.Webhook{Secret: salesiq.NewSecret("hush")}, &salesiq.WebhookUpdate{Secret: salesiq.Set(salesiq.NewSecret("hush"))},
		[]salesiq.DeviceCreate{{Token: salesiq.NewSecret("hush")}},
	} {
		text, err := json.Marshal(object)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "hush")
		assert.Contains(t, string(text), redact.Mask)
	}
}
