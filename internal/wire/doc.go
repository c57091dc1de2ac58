// Package wire holds what SalesIQ puts on the wire: the JSON codec, the two
// dialects of the service, and the query encoding.
//
// # Dialects
//
// The specification and the vendor's pages on the live service describe the same
// service in two dialects. A client sends in one of them, which is chosen when it
// is made; it reads both, since an answer tells by itself in which it is written.
//
//	                 specified                            live
//	chosen by        default                              WithPortal
//	paths            /api/v2/chats                        /api/v2/{portal}/chats, but /api/v2/portals
//	success          {"status":"success","data":…}        {"url":…,"object":…,"data":…}
//	nothing to tell  {"status":"success"}                 {"url":…,"object":…}
//	error            {"status":"error","code":"WORD",…}   {"error":{"code":1016,…}}, under any status
//	refused token    INVALID_TOKEN or status 401          1002, 1008, and 1001 with status 400 or 401
//	pages            "pagination":{…,"total":42}          "more_data_available":true
//
// An answer is read plainly: an object with a member data is an envelope, and any
// other is the data itself. What does not mean that is one of a few exceptions. Each
// dialect lists its own in a table, with an example, the reason and the source. No
// answer is an exception in two ways, so that their order does not matter.
//
// Where a call fails and the answer is in the other dialect, [Mismatch] says so.
package wire
