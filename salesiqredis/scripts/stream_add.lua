if ARGV[3] == '' then return redis.call('XADD', KEYS[1], '*', 'event', ARGV[1], 'body', ARGV[2]) end
return redis.call('XADD', KEYS[1], '*', 'event', ARGV[1], 'body', ARGV[2], 'trace', ARGV[3])
