return redis.call('XADD', KEYS[1], '*', 'event', ARGV[1], 'body', ARGV[2])
