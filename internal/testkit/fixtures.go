package testkit

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Must returns value. It panics if there is an error.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Fixture returns a file of a package's testdata.
func Fixture(t testing.TB, folder, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", folder, name+".json"))
	require.NoError(t, err)
	return data
}

// Canonical sorts the members of an object and drops its spaces. Nothing else
// changes: a time that is written differently differs.
func Canonical(t testing.TB, data []byte) string {
	t.Helper()
	value := jsontext.Value(data).Clone()
	require.NoError(t, value.Canonicalize())
	return string(value)
}

// CheckFilled fails for a field that the fixture did not reach, and for a field
// of the fixture that no field of the struct took.
func CheckFilled(t testing.TB, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			break
		}
		for field, value := range v.Fields() {
			if field.Name == "Extra" {
				assert.Empty(t, value.Interface(), "%s has fields that the type does not know", path)
				continue
			}
			CheckFilled(t, path+"."+field.Name, value)
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			CheckFilled(t, path, v.Index(i))
		}
	}
	assert.False(t, v.IsZero(), "%s is empty", path)
}
