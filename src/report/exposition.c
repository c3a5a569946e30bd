/* exposition.c - rows as metrics. Sources: OpenMetrics 1.0, "Text format"; prometheus.io, "Exposition formats". */
#include <string.h>

#include <sonoran-pushd/report.h>

#define PREFIX "sonoran_pushd_"

const char *const report_content_types[] = {
    [REPORT_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    [REPORT_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
};

/* The rows of one name, and who has numbers of them. */
struct family {
    const struct report_table *table;
    const struct report_row *row; /* the first */
    size_t n_rows;
    const struct report_part *parts; /* the first of the table, and others */
    size_t n_parts;
};

static void add_name(struct text *out, const struct report_row *row)
{
    text_add(out, row->common ? "" : PREFIX);
    text_add(out, row->name);
}

static void add_label(struct text *out, const char *label, const char *value)
{
    text_addf(out, "%s%s=\"", out->size && out->s[out->size - 1] == '{' ? "" : ",", label);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n')
            text_add(out, "\\");
        text_add_bytes(out, *value == '\n' ? "n" : value, 1);
    }
    text_add(out, "\"");
}

static bool is_in_seconds(const struct report_row *row)
{
    return row->unit && strcmp(row->unit, "seconds") == 0;
}

static void add_number(struct text *out, const struct report_row *row, uint64_t number)
{
    if (is_in_seconds(row))
        text_addf(out, "%llu.%06llu", (unsigned long long) (number / USEC_PER_SEC),
                  (unsigned long long) (number % USEC_PER_SEC));
    else
        text_addf(out, "%llu", (unsigned long long) number);
}

/* name_suffix{labels, which stay open: begin, add_label, end. */
static void begin_sample(struct text *out, const struct report_part *part, const struct report_row *row,
                         const char *suffix)
{
    add_name(out, row);
    text_add(out, suffix);
    text_add(out, "{");
    for (size_t i = 0; i < REPORT_LABELS && part->labels[i].name; i++)
        add_label(out, part->labels[i].name, part->labels[i].value);
    if (row->label && row->value)
        add_label(out, row->label, row->value);
}

static void end_labels(struct text *out)
{
    if (!out->failed && out->s[out->size - 1] == '{')
        out->s[--out->size] = '\0';
    else
        text_add(out, "}");
    text_add(out, " ");
}

static void add_sample(struct text *out, const struct report_part *part, const struct report_row *row)
{
    begin_sample(out, part, row, row->kind == REPORT_COUNTER ? "_total" : "");
    end_labels(out);
    add_number(out, row, report_value(row, part->values));
    text_add(out, "\n");
}

/* A limit as OpenMetrics writes numbers ("0.005", "10.0"); of a number of things too, for it is one value more of a
 * label, which has to be the same in both formats. */
static void add_limit(struct text *out, const struct report_row *row, uint64_t limit)
{
    char number[32];
    unsigned long long whole = is_in_seconds(row) ? limit / USEC_PER_SEC : limit;
    unsigned long long rest = is_in_seconds(row) ? limit % USEC_PER_SEC : 0;
    int size = snprintf(number, sizeof(number), "%llu.%06llu", whole, rest);
    while (number[size - 1] == '0' && number[size - 2] != '.')
        number[--size] = '\0';
    add_label(out, "le", number);
}

static void add_histogram(struct text *out, const struct report_part *part, const struct report_row *row)
{
    struct report_histogram histogram;
    uint64_t n = 0;
    memcpy(&histogram, (const char *) part->values + row->offset, sizeof(histogram));
    for (size_t i = 0; i <= row->limits->n; i++) {
        begin_sample(out, part, row, "_bucket");
        if (i < row->limits->n)
            add_limit(out, row, row->limits->v[i]);
        else
            add_label(out, "le", "+Inf");
        end_labels(out);
        n += histogram.n[i];
        text_addf(out, "%llu\n", (unsigned long long) n);
    }
    begin_sample(out, part, row, "_sum");
    end_labels(out);
    add_number(out, row, histogram.sum);
    text_add(out, "\n");
    begin_sample(out, part, row, "_count");
    end_labels(out);
    text_addf(out, "%llu\n", (unsigned long long) n);
}

/* The label of a stateset has the name of the metric. */
static void add_states(struct text *out, const struct report_part *part, const struct report_row *row)
{
    struct text label CLEANUP(text_free) = TEXT_INIT;
    uint64_t state = report_value(row, part->values);
    add_name(&label, row);
    for (size_t i = 0; row->states[i]; i++) {
        begin_sample(out, part, row, "");
        add_label(out, label.s, row->states[i]);
        end_labels(out);
        text_add(out, i == state ? "1\n" : "0\n");
    }
    out->failed |= label.failed;
}

/* All the rows of the family are labels of one sample. */
static void add_info(struct text *out, const struct report_part *part, const struct family *family)
{
    begin_sample(out, part, family->row, "_info");
    for (size_t i = 0; i < family->n_rows; i++)
        add_label(out, family->row[i].label, (const char *) part->values + family->row[i].offset);
    end_labels(out);
    text_add(out, "1\n");
}

static void add_samples(struct text *out, const struct report_part *part, const struct family *family)
{
    if (family->row->kind == REPORT_INFO) {
        add_info(out, part, family);
        return;
    }
    for (const struct report_row *row = family->row; row < family->row + family->n_rows; row++)
        if (row->kind == REPORT_HISTOGRAM)
            add_histogram(out, part, row);
        else if (row->kind == REPORT_STATE)
            add_states(out, part, row);
        else
            add_sample(out, part, row);
}

static const char *type_of(const struct report_row *row, enum report_format format)
{
    switch (row->kind) {
    case REPORT_COUNTER:
        return "counter";
    case REPORT_HISTOGRAM:
        return "histogram";
    case REPORT_STATE:
        return format == REPORT_OPENMETRICS ? "stateset" : "gauge";
    case REPORT_INFO:
        return format == REPORT_OPENMETRICS ? "info" : "gauge";
    case REPORT_GAUGE:
    case REPORT_FLAG:
    case REPORT_TIME:
        break;
    }
    return "gauge";
}

/* "# TYPE name counter"; the older format knows samples only, and its name of a family is that of its samples. */
static void add_comment(struct text *out, const struct report_row *row, enum report_format format, const char *word,
                        const char *what)
{
    const char *suffix = row->kind == REPORT_COUNTER ? "_total" : row->kind == REPORT_INFO ? "_info" : "";
    text_addf(out, "# %s ", word);
    add_name(out, row);
    text_addf(out, "%s %s\n", format == REPORT_OPENMETRICS ? "" : suffix, what);
}

/* A family stands in one block, whichever parts it has samples of. */
static void add_family(struct text *out, enum report_format format, const struct family *family)
{
    if (family->row->status_only)
        return;
    add_comment(out, family->row, format, "TYPE", type_of(family->row, format));
    if (family->row->unit && format == REPORT_OPENMETRICS)
        add_comment(out, family->row, format, "UNIT", family->row->unit);
    add_comment(out, family->row, format, "HELP", family->row->help);
    for (size_t i = 0; i < family->n_parts; i++)
        if (family->parts[i].table == family->table)
            add_samples(out, &family->parts[i], family);
}

/* The rows that begin with this one and share its name. */
static size_t family_size(const struct report_table *table, size_t first)
{
    size_t n = 1;
    while (first + n < table->n && strcmp(table->rows[first].name, table->rows[first + n].name) == 0)
        n++;
    return n;
}

static bool is_first_of_table(const struct report_part *parts, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (parts[before].table == parts[i].table)
            return false;
    return true;
}

void report_add_metrics(struct text *out, enum report_format format, const struct report_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct report_table *table = parts[i].table;
        for (size_t row = 0, n_rows; is_first_of_table(parts, i) && row < table->n; row += n_rows) {
            n_rows = family_size(table, row);
            add_family(out, format, &(struct family){ table, &table->rows[row], n_rows, parts + i, n - i });
        }
    }
    text_add(out, format == REPORT_OPENMETRICS ? "# EOF\n" : "");
}
