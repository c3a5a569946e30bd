-- load.lua BODY_FILE [PAUSE_MS] - what wrk sends, and its result as one JSON line. PAUSE_MS: of a connection, between an
-- answer and the next request; it is in no latency.
-- There is no request() and no response() on purpose: wrk then sends fixed bytes and parses only the status,
-- so that the load costs as little as it can. Statuses above 399 are counted by wrk itself.

function init(args)
   local file = assert(io.open(args[1], "rb"))
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   wrk.body = file:read("*a")
   file:close()
   if args[2] then
      delay = function() return tonumber(args[2]) end
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"requests": %d, "seconds": %.6f, "not_ok": %d, "socket_errors": %d, "p50_us": %d, "p99_us": %d}\n',
      summary.requests, summary.duration / 1e6, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
