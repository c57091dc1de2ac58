//go:build goexperiment.jsonv2 && !go1.27

package wire

// The JSON experiment of Go 1.26 does not know the embed option of the json
// tags, and would lose unknown fields and send wrong bodies. Better no program
// than that one.
var _ = the_jsonv2_experiment_of_Go_1_26_is_not_supported
