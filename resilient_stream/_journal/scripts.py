"""What Redis runs as one step: the rules of `lease` and the transactions of a store, in Lua.

A stream is a hash, with the fields of `Head` and the payloads, and a Redis Stream with its frames: frame 7
has the id ``0-7``, which Redis itself refuses to add twice or behind a later one. ``KEYS`` are the hash, the
frames, and the set of all streams by the time they were begun; ``ARGV[1]`` is the time, or empty for the
server's own.
"""

from __future__ import annotations

from typing import Final

_BEGIN: Final = """
local hash, frames, all = KEYS[1], KEYS[2], KEYS[3]
local now = tonumber(ARGV[1])
if now == nil then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local function field(name) return redis.call('HGET', hash, name) end
local function precise(number) return string.format('%.6f', number) end
local status = field('status')
local leased = status == 'running' and tonumber(field('until')) > now
local head_fields = {'id', 'tag', 'status', 'epoch', 'holder', 'until', 'last', 'size', 'created', 'touched',
    'owner', 'stopping'}
"""

CLAIM: Final = (
    _BEGIN
    + """
local id, holder, ttl, void, tag, request, owner = unpack(ARGV, 2)
local verdict
if leased and field('epoch') == void then leased = false end
if not status or status == 'expired' then
    verdict = 'unknown'
elseif status == 'complete' or status == 'stopped' or (field('stopping') == '1' and not leased) then
    verdict = 'over'
elseif leased then
    verdict = 'leased'
else
    verdict = 'taken'
    redis.call('HINCRBY', hash, 'epoch', 1)
    redis.call('HSET', hash, 'status', 'running', 'holder', holder, 'until', precise(now + ttl),
        'touched', precise(now))
end
if verdict == 'unknown' then
    if tag == nil then return {verdict} end
    verdict = 'new'
    local epoch = tonumber(field('epoch') or 0) + 1
    redis.call('DEL', hash, frames)
    redis.call('HSET', hash, 'id', id, 'tag', tag, 'status', 'running', 'epoch', epoch, 'holder', holder,
        'until', precise(now + ttl), 'last', 0, 'size', 0, 'created', precise(now), 'touched', precise(now),
        'owner', owner, 'stopping', 0, 'request', request)
    redis.call('ZADD', all, precise(now), id)
end
return {verdict, redis.call('HMGET', hash, unpack(head_fields))}
"""
)

COMMIT: Final = (
    _BEGIN
    + """
local epoch, ttl, first, state, ending = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
if field('epoch') ~= epoch then return 'lost' end
local last, count = tonumber(field('last')), #ARGV - 6
local again = ending ~= '' and status == ending
if count > 0 then again = last >= first + count - 1 end
if not again then
    if status ~= 'running' or first ~= last + 1 then return 'lost' end
    local size = 0
    for i = 1, count do
        redis.call('XADD', frames, '0-' .. (last + i), 'f', ARGV[6 + i])
        size = size + #ARGV[6 + i]
    end
    redis.call('HINCRBY', hash, 'last', count)
    redis.call('HINCRBY', hash, 'size', size)
    redis.call('HSET', hash, 'touched', precise(now), 'until', precise(now + ttl))
    if state ~= '' then redis.call('HSET', hash, 'state', state) end
    if ending ~= '' then redis.call('HSET', hash, 'status', ending, 'holder', '', 'until', 0) end
end
if field('stopping') == '1' then return 'stop' end
return 'kept'
"""
)

RENEW: Final = (
    _BEGIN
    + """
if field('epoch') ~= ARGV[2] or status ~= 'running' then return 'lost' end
redis.call('HSET', hash, 'until', precise(now + ARGV[3]))
if field('stopping') == '1' then return 'stop' end
return 'kept'
"""
)

STOP: Final = (
    _BEGIN
    + """
if not status or status == 'complete' or status == 'stopped' or status == 'expired' then return 0 end
redis.call('HSET', hash, 'stopping', 1)
if not leased then redis.call('HSET', hash, 'status', 'stopped', 'holder', '', 'until', 0) end
return 1
"""
)

EXPIRE: Final = (
    _BEGIN
    + """
if not status or leased then return end
redis.call('DEL', frames)
redis.call('HDEL', hash, 'request', 'state')
redis.call('HSET', hash, 'status', 'expired', 'holder', '', 'until', 0, 'size', 0)
"""
)

REMOVE: Final = (
    _BEGIN
    + """
redis.call('ZREM', all, ARGV[2])
return redis.call('DEL', hash, frames) > 0 and 1 or 0
"""
)

READ: Final = (
    _BEGIN
    + """
if not status then return nil end
local after, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = {}
if limit > 0 then
    found = redis.call('XRANGE', frames, '0-' .. string.format('%d', after + 1), '+', 'COUNT', limit)
end
return {redis.call('HMGET', hash, unpack(head_fields)), found}
"""
)
