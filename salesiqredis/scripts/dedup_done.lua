-- Remembers that an event was handled, whoever holds the claim by now.
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[1])
return 1
