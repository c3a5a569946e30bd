/* ctl_duty.c - "sonoran-pushctl duty": how long each unit was on duty. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/duty.h>
#include <sonoran-pushd/json.h>

#include "period.h"

#define NAME_MAX_CHARS 40

static const struct ctl_option rows[] = {
    PERIOD_OPTIONS,
    OPTION_JSON("one object for programs"),
};

static const struct ctl_spec spec = {
    .verb = "duty",
    .usage = "[OPTION]...",
    .about = "Prints how long each unit was on duty, in which status, at how many calls, with how many panics: from "
             "log-ins, log-outs and what units told of themselves, as far as the log has them. Hours and minutes. Test "
             "events do not count.",
    .footer = "T is a local time: " TIME_FORMS ".\n"
              "Exit status: 0 done, 1 the log cannot be read, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

/* In the order of enum duty_status; of a table, and of programs. */
static const char *const heads[] = { "UNAVAIL", "BUSY", "AVAIL", "EN ROUTE", "ON SCENE", "OTHER" };
static const char *const names[] = { "unavailable", "busy", "available", "en_route", "on_scene", "other" };

_Static_assert(ARRAY_SIZE(heads) == DUTY_STATUSES && ARRAY_SIZE(names) == DUTY_STATUSES, "every status has its words");

static uint64_t seconds(usec_t us)
{
    return us / USEC_PER_SEC;
}

/* ---- for people ---- */

static void write_lapse(struct text *out, usec_t us)
{
    if (us)
        text_addf(out, "%llu:%02u", (unsigned long long) (seconds(us) / 3600), (unsigned) (seconds(us) / 60 % 60));
    else
        text_add(out, "-");
}

static void write_note(const struct duty_unit *unit, struct text *out)
{
    static const char *const words[] = { "since before", "still on duty", "no log-in seen", "no log-out seen" };
    const bool flags[] = { unit->before, unit->still, unit->no_login && !unit->before, unit->no_logout };
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (flags[i])
            text_addf(out, "%s%s", out->size ? ", " : "", words[i]);
}

static void write_name(const struct duty *duty, const struct duty_unit *unit, struct text *out)
{
    text_add_prose(out, unit->number, strlen(unit->number), NAME_MAX_CHARS);
    text_add(out, *unit->number && *unit->name ? " " : "");
    text_add_prose(out, unit->name, strlen(unit->name), NAME_MAX_CHARS);
    if (!out->size)
        text_addf(out, "unit %lld", (long long) unit->id);
    if (duty->several_communities)
        text_addf(out, " @ %s", unit->community);
}

enum { UNIT, ON_DUTY, STATUS, CALLS = STATUS + DUTY_STATUSES, PANICS, NOTE, COLUMNS };

static void fill_cells(const struct duty *duty, const struct duty_unit *unit, struct text *cells)
{
    write_name(duty, unit, &cells[UNIT]);
    write_lapse(&cells[ON_DUTY], unit->on_us);
    for (size_t i = 0; i < DUTY_STATUSES; i++)
        write_lapse(&cells[STATUS + i], unit->status_us[i]);
    text_addf(&cells[CALLS], unit->n_calls ? "%u" : "-", unit->n_calls);
    text_addf(&cells[PANICS], unit->n_panics ? "%u" : "-", unit->n_panics);
    write_note(unit, &cells[NOTE]);
}

static void write_heads(struct text *cells)
{
    text_add(&cells[UNIT], "UNIT");
    text_add(&cells[ON_DUTY], "ON DUTY");
    for (size_t i = 0; i < DUTY_STATUSES; i++)
        text_add(&cells[STATUS + i], heads[i]);
    text_add(&cells[CALLS], "CALLS");
    text_add(&cells[PANICS], "PANICS");
}

static void write_table(const struct duty *duty, struct text *out)
{
    struct text *cells = table_cells_new(duty->n_units + 1, COLUMNS, out);
    if (!cells)
        return;
    write_heads(cells);
    for (size_t i = 0; i < duty->n_units; i++)
        fill_cells(duty, &duty->units[i], cells + (i + 1) * COLUMNS);
    table_cells_write(cells, duty->n_units + 1, COLUMNS, out);
}

static void write_people(const struct duty *duty, struct text *out)
{
    if (!duty->n_units) {
        text_add(out, "No unit was on duty in this time, as far as the log tells; test events do not count.\n");
    } else {
        text_add(out, "On duty ");
        period_write(duty->since_us, duty->until_us, out);
        text_add(out, "\n\n");
        write_table(duty, out);
    }
    if (duty->oldest_us || duty->set_back)
        text_add(out, "\n");
    period_write_missing(duty->oldest_us, duty->set_back, out);
}

/* ---- for programs ---- */

static void write_csv(const struct duty *duty, struct text *out)
{
    text_add(out, "community,unit,number,name,log_ins,on_duty_s");
    for (size_t i = 0; i < DUTY_STATUSES; i++)
        text_addf(out, ",%s_s", names[i]);
    text_add(out, ",calls,panics,since_before,still_on_duty,no_login_seen,no_logout_seen");
    period_end_row(out);
    for (size_t i = 0; i < duty->n_units; i++) {
        const struct duty_unit *unit = &duty->units[i];
        period_add_cell(out, unit->community);
        text_addf(out, ",%lld", (long long) unit->id);
        period_add_cell(out, unit->number);
        period_add_cell(out, unit->name);
        period_add_number(out, unit->n_logins);
        period_add_number(out, seconds(unit->on_us));
        for (size_t k = 0; k < DUTY_STATUSES; k++)
            period_add_number(out, seconds(unit->status_us[k]));
        period_add_number(out, unit->n_calls);
        period_add_number(out, unit->n_panics);
        period_add_number(out, unit->before);
        period_add_number(out, unit->still);
        period_add_number(out, unit->no_login);
        period_add_number(out, unit->no_logout);
        period_end_row(out);
    }
}

static void add_unit(const struct duty_unit *unit, struct json_writer *out)
{
    json_begin_object(out, NULL);
    json_add_text(out, "community", unit->community);
    json_add_int(out, "id", unit->id);
    json_add_text(out, "number", unit->number);
    json_add_text(out, "name", unit->name);
    json_add_int(out, "log_ins", unit->n_logins);
    json_add_int(out, "on_duty_s", (int64_t) seconds(unit->on_us));
    json_begin_object(out, "by_status_s");
    for (size_t i = 0; i < DUTY_STATUSES; i++)
        json_add_int(out, names[i], (int64_t) seconds(unit->status_us[i]));
    json_end(out);
    json_add_int(out, "calls", unit->n_calls);
    json_add_int(out, "panics", unit->n_panics);
    json_add_bool(out, "since_before", unit->before);
    json_add_bool(out, "still_on_duty", unit->still);
    json_add_bool(out, "no_login_seen", unit->no_login);
    json_add_bool(out, "no_logout_seen", unit->no_logout);
    json_end(out);
}

static void write_json(const struct duty *duty, struct text *out)
{
    struct text json CLEANUP(text_free) = TEXT_INIT;
    struct json_writer writer = json_writer(&json);
    json_begin_object(&writer, NULL);
    period_add_time(&writer, "since", duty->since_us);
    period_add_time(&writer, "until", duty->until_us);
    period_add_time(&writer, "log_begins", duty->oldest_us);
    json_add_bool(&writer, "clock_set_back", duty->set_back);
    json_begin_array(&writer, "units");
    for (size_t i = 0; i < duty->n_units; i++)
        add_unit(&duty->units[i], &writer);
    json_end(&writer);
    json_end(&writer);
    show_json(json.s, json.size, isatty(STDOUT_FILENO), out);
    out->failed |= json.failed;
}

static int run(const struct period *period)
{
    const struct duty_asked asked = { period->since_us, period->until_us, period->community };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct store_reader *reader = NULL;
    struct duty *duty = NULL;
    struct err err;
    int status = period_open(period, &reader);
    if (status != EXIT_SUCCESS)
        return status;
    int r = duty_read(reader, &asked, &duty, &err);
    store_reader_close(reader);
    if (r < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (period->csv)
        write_csv(duty, &out);
    else if (period->common.json)
        write_json(duty, &out);
    else
        write_people(duty, &out);
    duty_free(duty);
    return table_write_stdout(&out);
}

int duty_run(const char *config_file, int argc, char **argv)
{
    struct period period = { .common.config_file = config_file };
    int status = options_read(&spec, &period, argc, argv);
    if (status < 0)
        status = period_check(&period);
    return status < 0 ? run(&period) : status;
}
