/* Units through udunits2, restricted to what the deck's language allows, with hints for common slips. */
#include "units.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <udunits2.h>

enum { MAX_UNIT_TEXT = 80 };

/* The unit system takes milliseconds to read from its XML files, so it is read once a process. */
static ut_system *unit_system(void) {
  static ut_system *loaded = NULL;
  if (!loaded) {
    ut_set_error_message_handler(ut_ignore);
    loaded = ut_read_xml(NULL);
    if (!loaded) {
      fprintf(stderr, "inkdrop: the units database of udunits2 cannot be read (package libudunits2-data)\n");
      exit(1);
    }
  }
  return loaded;
}

static const char *const base_name[INK_BASE_UNITS] = {"meter",  "kilogram", "second", "kelvin",
                                                      "ampere", "mole",     "candela"};

/* What a visitor of a udunits unit gathers. */
typedef struct Visit {
  ut_unit *base[INK_BASE_UNITS];
  InkUnit unit;
  bool linear;
} Visit;

static ut_status visit_basic(const ut_unit *unit, void *context) {
  Visit *visit = context;
  for (int b = 0; b < INK_BASE_UNITS; b++)
    if (ut_compare(unit, visit->base[b]) == 0) visit->unit.dim.exponent[b] += 1;
  return UT_SUCCESS;
}

static ut_status visit_product(const ut_unit *unit, int count, const ut_unit *const *basic, const int *power,
                               void *context) {
  Visit *visit = context;
  (void)unit;
  for (int i = 0; i < count; i++)
    for (int b = 0; b < INK_BASE_UNITS; b++)
      if (ut_compare(basic[i], visit->base[b]) == 0) visit->unit.dim.exponent[b] += power[i];
  return UT_SUCCESS;
}

static const ut_visitor visitor;

/* A scaled and shifted unit: underlying value = scale * (value + origin). */
static ut_status visit_galilean(const ut_unit *unit, double scale, const ut_unit *underlying, double origin,
                                void *context) {
  Visit *visit = context;
  (void)unit;
  ut_status status = ut_accept_visitor(underlying, &visitor, visit);
  visit->unit.offset += visit->unit.factor * scale * origin;
  visit->unit.factor *= scale;
  return status;
}

static ut_status visit_timestamp(const ut_unit *unit, const ut_unit *time, double origin, void *context) {
  (void)unit, (void)time, (void)origin;
  ((Visit *)context)->linear = false;
  return UT_SUCCESS;
}

static ut_status visit_logarithmic(const ut_unit *unit, double base, const ut_unit *reference,
                                   void *context) {
  (void)unit, (void)base, (void)reference;
  ((Visit *)context)->linear = false;
  return UT_SUCCESS;
}

static const ut_visitor visitor = {visit_basic, visit_product, visit_galilean, visit_timestamp,
                                   visit_logarithmic};

/* udunits multiplies prefixes and powers in binary (1 L = 0.0010000000000000002 m^3): a factor within
 * rounding of a 12-digit decimal is that decimal. */
static double snap(double factor) {
  char text[40];
  snprintf(text, sizeof text, "%.12g", factor);
  double decimal = strtod(text, NULL);
  return fabs(decimal - factor) <= 1e-15 * fabs(factor) ? decimal : factor;
}

/* False: not known to udunits, or not linear. */
static bool read_unit(const char *text, InkUnit *unit) {
  ut_system *system = unit_system();
  ut_unit *parsed = ut_parse(system, text, UT_UTF8);
  if (!parsed) return false;
  Visit visit = {.unit = {.factor = 1, .dim = {.known = true}}, .linear = true};
  for (int b = 0; b < INK_BASE_UNITS; b++) visit.base[b] = ut_get_unit_by_name(system, base_name[b]);
  ut_status status = ut_accept_visitor(parsed, &visitor, &visit);
  for (int b = 0; b < INK_BASE_UNITS; b++) ut_free(visit.base[b]);
  ut_free(parsed);
  *unit = visit.unit;
  unit->factor = snap(unit->factor);
  unit->offset = snap(unit->offset);
  return status == UT_SUCCESS && visit.linear && isfinite(unit->factor) && unit->factor > 0 &&
         isfinite(unit->offset);
}

/* Common slips. Some of them are other units to udunits (C coulomb, a are, W/mK per millikelvin). */
static const char *const hints[][2] = {
    {"C", "degC"},
    {"oC", "degC"},
    {"degc", "degC"},
    {"Celcius", "degC"},
    {"deg", "degC"},
    {"F", "degF"},
    {"degf", "degF"},
    {"M", "mol/L"},
    {"mM", "mmol/L"},
    {"uM", "umol/L"},
    {"µM", "umol/L"},
    {"nM", "nmol/L"},
    {"a", "year"},
    {"y", "year"},
    {"W/m2K", "W/(m^2 K)"},
    {"W/m^2K", "W/(m^2 K)"},
    {"W/m2/C", "W/(m^2 K)"},
    {"W/m^2C", "W/(m^2 K)"},
    {"W/m2C", "W/(m^2 K)"},
    {"W/mK", "W/(m K)"},
    {"W/mC", "W/(m K)"},
    {"J/kgK", "J/(kg K)"},
    {"J/kgC", "J/(kg K)"},
    {"kJ/kgK", "kJ/(kg K)"},
    {"J/molK", "J/(mol K)"},
    {"mins", "min"},
    {"Min", "min"},
    {"secs", "s"},
    {"hrs", "h"},
    {"H", "h"},
    {"S", "s"},
    {"k", "K"},
    {"cc", "cm^3"},
    {"kWh", "kW*h"},
    {"Ang", "angstrom"},
    {"mic", "um"},
};

const char *ink_unit_hint(const char *text, size_t length) {
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
    if (strlen(hints[i][0]) == length && !strncmp(hints[i][0], text, length)) return hints[i][1];
  return NULL;
}

/* One token of a unit: letters with ° µ %. Returns its length in bytes, 0 when there is none. */
static size_t word_length(const char *text) {
  size_t n = 0;
  for (;;) {
    unsigned char c = (unsigned char)text[n], d = c ? (unsigned char)text[n + 1] : 0;
    if (isalpha(c) && c < 128)
      n += 1;
    else if (c == '%')
      n += 1;
    else if (c == 0xC2 && (d == 0xB0 || d == 0xB5))
      n += 2; /* ° µ */
    else
      return n;
  }
}

static bool forbidden_word(const char *word, size_t n) {
  static const char *const words[] = {"since", "after", "from", "ref", "re", "lg", "ln", "lb", "per"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == n && !strncasecmp(words[i], word, n)) return true;
  return false;
}

static void message_character(const char *at, char *message, size_t size) {
  unsigned char c = (unsigned char)*at;
  if (!strncmp(at, "²", 2) || !strncmp(at, "³", 2))
    snprintf(message, size, "a unit has no raised digits: write m^2, m^3");
  else if (strchr("+<>=!,[]&|?:;", c))
    snprintf(message, size,
             "'%c' cannot stand in a unit; in an expression units go in brackets: 25[degC] + 5[K]", c);
  else if (c < 128 && isprint(c))
    snprintf(message, size, "'%c' cannot stand in a unit", c);
  else
    snprintf(message, size, "a unit is made of letters, digits, ^ * / . ( ) - %% ° µ only");
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The deck's restrictions on the characters and words of a unit. */
static bool check_characters(const char *text, char *message, size_t size) {
  bool start = true; /* a factor may begin here, so a digit here would be a number of its own */
  for (const char *p = text; *p;) {
    size_t n = word_length(p);
    if (n && forbidden_word(p, n)) {
      snprintf(message, size, "'%.*s' is not allowed in a unit", (int)n, p);
      return false;
    }
    if (n) {
      p += n;
      start = false;
    } else if (is_digit(*p)) {
      bool reciprocal = p == text && p[0] == '1' && p[1] == '/';
      if (start && !reciprocal) {
        const bool fraction = p - text > 2 && p[-1] == '.' && is_digit(p[-2]);
        snprintf(message, size, "%s",
                 fraction ? "an exponent is a whole number; roots are for expressions, as 5[mV]/sqrt(1[s])"
                          : "a unit holds no numbers of its own: write them before the unit");
        return false;
      }
      const char *digits = p;
      while (is_digit(*p)) p++;
      if (p - digits > 2) {
        snprintf(message, size, "an exponent has at most two digits");
        return false;
      }
    } else if (strchr("*/.( ", *p)) {
      start = true;
      p++;
    } else if (*p == ')') {
      start = false;
      p++;
    } else if (*p == '^' || (*p == '-' && is_digit(p[1]))) {
      start = false;
      p++;
    } else {
      message_character(p, message, size);
      return false;
    }
  }
  return true;
}

static bool offset_allowed(const char *text) {
  static const char *const names[] = {"degC", "°C", "celsius", "Celsius",    "degreeC",    "degreesC",
                                      "degF", "°F", "degreeF", "fahrenheit", "Fahrenheit", "degreesF"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(names[i], text)) return true;
  return false;
}

/* degC and degF stand alone: in W/(m degC) a difference would be meant, and that is K. */
static bool check_offsets(const char *text, char *message, size_t size) {
  for (const char *p = text; *p;) {
    size_t n = word_length(p);
    char word[MAX_UNIT_TEXT];
    if (!n) {
      p++;
      continue;
    }
    memcpy(word, p, n);
    word[n] = 0;
    InkUnit unit;
    if (read_unit(word, &unit) && unit.offset != 0 && (strcmp(word, text) || !offset_allowed(word))) {
      snprintf(message, size, "'%s' has an offset and stands alone; in '%s' write K", word, text);
      return false;
    }
    p += n;
  }
  return true;
}

/* Copies with Greek mu written as the micro sign, both being typed for it. */
static void normalise(const char *text, size_t length, char *out) {
  memcpy(out, text, length);
  out[length] = 0;
  for (char *p = out; (p = strstr(p, "\xCE\xBC")); p += 2) memcpy(p, "\xC2\xB5", 2);
}

/* To udunits C is the coulomb and F the farad, but whoever writes `20 C` means a temperature, and where any
 * dimension goes nothing else would catch it. */
static bool mistakable(const char *name) { return !strcmp(name, "C") || !strcmp(name, "F"); }

bool ink_unit_parse(const char *text, size_t length, InkUnit *unit, char *message, size_t size) {
  char name[MAX_UNIT_TEXT], why[256];
  memset(unit, 0, sizeof *unit);
  while (length && text[length - 1] == ' ') length--;
  if (!length || length >= sizeof name || memchr(text, 0, length)) {
    snprintf(message, size, length ? "this unit is too long" : "a unit is missing");
    return false;
  }
  normalise(text, length, name);
  const char *hint = ink_unit_hint(name, strlen(name));
  if (mistakable(name)) {
    snprintf(message, size,
             "unknown unit '%s': did you mean '%s'? (write %s for the other unit of that letter)", name, hint,
             *name == 'C' ? "coulomb" : "farad");
    return false;
  }
  if (!check_characters(name, why, sizeof why)) {
    snprintf(message, size, "bad unit '%s': %s%s%s%s", name, why, hint ? "; did you mean '" : "",
             hint ? hint : "", hint ? "'?" : "");
    return false;
  }
  if (!read_unit(name, unit)) {
    bool simple = name[word_length(name)] == 0;
    if (hint)
      snprintf(message, size, "unknown unit '%s': did you mean '%s'?", name, hint);
    else if (simple)
      snprintf(message, size, "unknown unit '%s'", name);
    else
      snprintf(message, size, "bad unit '%s': products are written kg*m or 'kg m', quotients W/(m^2 K)",
               name);
    return false;
  }
  if (!check_offsets(name, why, sizeof why)) {
    if (hint)
      snprintf(message, size, "unknown unit '%s': did you mean '%s'?", name, hint);
    else
      snprintf(message, size, "bad unit '%s': %s", name, why);
    return false;
  }
  return true;
}

bool ink_dim_equal(const InkDim *a, const InkDim *b) {
  if (!a->known || !b->known) return true;
  for (int i = 0; i < INK_BASE_UNITS; i++)
    if (fabs(a->exponent[i] - b->exponent[i]) > 1e-9) return false;
  return true;
}

InkDim ink_dim_any(void) { return (InkDim){.known = false}; }

InkDim ink_dim_none(void) { return (InkDim){.known = true}; }

InkDim ink_dim_product(InkDim a, InkDim b, double power) {
  if (!a.known || !b.known) return ink_dim_any();
  for (int i = 0; i < INK_BASE_UNITS; i++) a.exponent[i] += power * b.exponent[i];
  return a;
}

InkDim ink_dim_of(const char *si_unit) {
  InkUnit unit;
  if (!read_unit(si_unit, &unit)) {
    fprintf(stderr, "inkdrop: internal error: '%s' in a key table is not a unit\n", si_unit);
    abort();
  }
  return unit.dim;
}

static const char *const base_symbol[INK_BASE_UNITS] = {"m", "kg", "s", "K", "A", "mol", "cd"};
/* The order in which people write them: kg m^2/s^2. */
static const int written_order[INK_BASE_UNITS] = {1, 0, 5, 4, 2, 3, 6};

/* Appends the factors whose exponent has the given sign, volts in the place of kg where that is said; returns
 * how many. */
static int print_factors(const InkDim *dim, bool volts, double sign, char *text, size_t size) {
  int count = 0;
  for (int i = 0; i < INK_BASE_UNITS; i++) {
    int b = written_order[i];
    const char *symbol = volts && b == 1 ? "V" : base_symbol[b];
    double power = sign * dim->exponent[b];
    if (power < 1e-9) continue;
    size_t used = strlen(text);
    const char *gap = count ? " " : "";
    if (fabs(power - 1) < 1e-9)
      snprintf(text + used, size - used, "%s%s", gap, symbol);
    else
      snprintf(text + used, size - used, "%s%s^%g", gap, symbol, power);
    count++;
  }
  return count;
}

void ink_dim_print(const InkDim *dim, char *text, size_t size) {
  if (!dim->known) {
    snprintf(text, size, "any");
    return;
  }
  InkDim left = *dim; /* powers of V = kg m^2/(A s^3) are written as such */
  const double power = dim->exponent[1];
  const bool volts = power != 0 && dim->exponent[4] == -power;
  if (volts) {
    left.exponent[0] -= 2 * power;
    left.exponent[2] += 3 * power;
    left.exponent[4] = 0;
  }
  char above[128] = "", below[128] = "";
  int up = print_factors(&left, volts, 1, above, sizeof above),
      down = print_factors(&left, volts, -1, below, sizeof below);
  if (!down)
    snprintf(text, size, "%s", up ? above : "1");
  else
    snprintf(text, size, down > 1 ? "%s/(%s)" : "%s/%s", up ? above : "1", below);
}
