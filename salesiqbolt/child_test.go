package salesiqbolt

// childVariable names the program that a test starts this one as.
const childVariable = "SALESIQBOLT_TEST_CHILD"

var children = map[string]func() error{}
