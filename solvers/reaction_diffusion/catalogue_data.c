/* The sets of kinetics, as data: species, reactions, parameters, sources. Each is a text of the deck's
 * language; `r` is a coordinate there, so rates of growth are called `rate`. */
#include "catalogue.h"

/* Gray and Scott's cubic autocatalysis in an open reactor, U + 2 V -> 3 V, V -> P, at one feed and kill rate:
 *     u_t = Du Laplace(u) - u v^2 + F (1 - u),   v_t = Dv Laplace(v) + u v^2 - (F + k) v. */
#define GRAY_SCOTT(name_, summary_, source_, feed, kill)                                                     \
  {                                                                                                          \
    .name = name_, .summary = summary_, .source = source_,                                                   \
    .species = {{"u", "substrate", "-u*v^2 + F*(1 - u)", "Du", NULL},                                        \
                {"v", "autocatalyst", "u*v^2 - (F + k)*v", "Dv", NULL}},                                     \
    .parameter = {                                                                                           \
      {"Du", "2e-5", "diffusion of u"},                                                                      \
      {"Dv", "1e-5", "diffusion of v"},                                                                      \
      {"F", feed, "feed rate"},                                                                              \
      {"k", kill, "rate at which v is removed besides the outflow"},                                         \
    }                                                                                                        \
  }

/* One of Pearson's classes of patterns; feed and kill rate are those of a point inside its region. */
#define PEARSON(letter, shows, feed, kill)                                                                   \
  GRAY_SCOTT("gray_scott_" letter, "Gray-Scott, Pearson's class " letter ": " shows,                         \
             "Pearson 1993, Science 261, 189, figures 2 and 3; F, k as listed by Munafo, mrob.com/pub/comp/" \
             "xmorphia",                                                                                     \
             feed, kill)

/* z/(exp(z) - 1), by its series where that is 0/0 (error below 1e-16), so that value and derivative are right
 * everywhere. */
#define BERNOULLI(z)                                                                                         \
  "if(abs(" z ") < 0.01, 1 - (" z ")/2 + (" z ")^2/12 - (" z ")^4/720, (" z ")/(exp(" z ") - 1))"

const InkKinetics ink_kinetics[] = {
    GRAY_SCOTT("gray_scott", "cubic autocatalysis with feed: spots, stripes, replication",
               "Gray & Scott 1984; Pearson 1993, Science 261, 189", "0.04", "0.06"),
    PEARSON("alpha", "wavelets and spirals that collide and vanish, chaotic", "0.010", "0.047"),
    PEARSON("beta", "chaotic waves with voids that open and fill", "0.026", "0.051"),
    PEARSON("gamma", "stripes that keep breaking and rejoining", "0.026", "0.055"),
    PEARSON("delta", "hexagons of negative spots, like Turing patterns", "0.042", "0.059"),
    PEARSON("epsilon", "rings and spots that divide, crowd and die", "0.018", "0.055"),
    PEARSON("zeta", "short-lived spots that divide and die, calmer than epsilon", "0.022", "0.061"),
    PEARSON("eta", "spots and worms together", "0.034", "0.063"),
    PEARSON("theta", "rings that grow into connected stripes", "0.038", "0.061"),
    PEARSON("iota", "negative spots", "0.046", "0.0594"),
    PEARSON("kappa", "stripes that grow, branch and join: a labyrinth", "0.050", "0.063"),
    PEARSON("lambda", "spots that replicate until they fill the plane", "0.034", "0.065"),
    PEARSON("mu", "worms that grow at their ends and stay apart", "0.046", "0.065"),
    {.name = "schnakenberg",
     .summary = "activator and substrate: Turing patterns",
     .source = "Schnakenberg 1979; Murray, Mathematical Biology II, 2.3",
     .species = {{"u", "activator", "a - u + u^2*v", "1", "(a + b)*(1 + 0.01*noise(0))"},
                 {"v", "substrate", "b - u^2*v", "d", "b/(a + b)^2"}},
     .parameter = {{"a", "0.1", "production of u"},
                   {"b", "0.9", "production of v"},
                   {"d", "40", "diffusion of v; that of u is 1. Patterns above 8.568"}}},
    {.name = "gierer_meinhardt",
     .summary = "activator and inhibitor: spots",
     .source = "Gierer & Meinhardt 1972; Murray, Mathematical Biology II, 2.2",
     .species = {{"u", "activator", "a - b*u + u^2/v", "1", "(1 + a)/b*(1 + 0.01*noise(0))"},
                 {"v", "inhibitor", "u^2 - v", "d", "((1 + a)/b)^2"}},
     .parameter = {{"a", "0", "production of u"},
                   {"b", "0.5", "decay of u"},
                   {"d", "20",
                    "diffusion of v; that of u is 1. Patterns above (3 + 2 sqrt(2))/b when a = 0"}}},
    {.name = "brusselator",
     .summary = "trimolecular oscillator: Turing patterns and oscillations",
     .source = "Prigogine & Lefever 1968",
     .species = {{"u", "autocatalyst", "A - (B + 1)*u + u^2*v", "Du", "A*(1 + 0.01*noise(0))"},
                 {"v", "substrate", "B*u - u^2*v", "Dv", "B/A"}},
     .parameter = {{"A", "2", "feed"},
                   {"B", "3", "control: patterns above (1 + A sqrt(Du/Dv))^2, oscillations above 1 + A^2"},
                   {"Du", "1", "diffusion of u"},
                   {"Dv", "8", "diffusion of v"}}},
    {.name = "fitzhugh_nagumo",
     .summary =
         "cubic activator and linear inhibitor: Turing patterns; pulses when epsilon is small and d is 0",
     .source = "FitzHugh 1961; Nagumo, Arimoto & Yoshizawa 1962",
     .species = {{"u", "activator", "u - u^3 - v + I", "1", NULL},
                 {"v", "inhibitor", "epsilon*(u - gamma*v + beta)", "d", NULL}},
     .parameter = {{"epsilon", "2.5", "rate of v against u"},
                   {"gamma", "0.6", "decay of v"},
                   {"beta", "0", "shift of the inhibitor's line"},
                   {"I", "0", "applied current"},
                   {"d", "20", "diffusion of v; that of u is 1. Patterns above 6.662"}}},
    {.name = "hodgkin_huxley",
     .summary = "squid axon: action potentials. u: depolarisation in mV; lengths in cm, times in ms",
     .source = "Hodgkin & Huxley 1952, J. Physiol. 117, 500, with the sign of u reversed",
     .species = {{"u", "depolarisation (mV)", "-(gNa*m^3*h*(u - VNa) + gK*n^4*(u - VK) + gL*(u - VL))/C",
                  "radius/(2*Ri*C)", "0"},
                 {"m", "sodium activation", "phi*(" BERNOULLI("(25 - u)/10") "*(1 - m) - 4*exp(-u/18)*m)",
                  "0", "1/(1 + 4*(exp(2.5) - 1)/2.5)"},
                 {"h", "sodium inactivation", "phi*(0.07*exp(-u/20)*(1 - h) - h/(exp((30 - u)/10) + 1))", "0",
                  "0.07/(0.07 + 1/(exp(3) + 1))"},
                 {"n", "potassium activation",
                  "phi*(0.1*" BERNOULLI("(10 - u)/10") "*(1 - n) - 0.125*exp(-u/80)*n)", "0",
                  "1/(1 + 1.25*(exp(1) - 1))"}},
     .parameter = {{"C", "1", "capacity of the membrane, uF/cm^2"},
                   {"gNa", "120", "sodium conductance, mS/cm^2"},
                   {"gK", "36", "potassium conductance, mS/cm^2"},
                   {"gL", "0.3", "leak conductance, mS/cm^2"},
                   {"VNa", "115", "sodium potential, mV"},
                   {"VK", "-12", "potassium potential, mV"},
                   {"VL", "10.613", "leak potential, mV"},
                   {"temperature", "6.3", "in degC"},
                   {"phi", "3^((temperature - 6.3)/10)", "factor of all rates of the gates"},
                   {"radius", "0.0238", "of the axon, cm"},
                   {"Ri", "0.0354", "resistivity of the axoplasm, kohm cm"}}},
    {.name = "fisher_kpp",
     .summary = "logistic growth and diffusion: fronts of speed 2 sqrt(D rate)",
     .source = "Fisher 1937; Kolmogorov, Petrovskii & Piskunov 1937",
     .species = {{"u", "density", "rate*u*(1 - u/K)", "D", NULL}},
     .parameter = {{"D", "1", "diffusion"},
                   {"rate", "1", "growth rate of a small population"},
                   {"K", "1", "carrying capacity"}}},
    {.name = "nagumo",
     .summary = "bistable cubic: fronts of speed sqrt(2 D k)(1/2 - a)",
     .source = "McKean 1970; Murray, Mathematical Biology I, 13.3",
     .species = {{"u", "potential", "k*u*(1 - u)*(u - a)", "D", NULL}},
     .parameter = {{"D", "1", "diffusion"}, {"k", "1", "rate"}, {"a", "0.2", "threshold"}}},
    {.name = "barkley",
     .summary = "excitable medium: pulses and spiral waves",
     .source = "Barkley 1991, Physica D 49, 61",
     .species = {{"u", "excitation", "u*(1 - u)*(u - (v + b)/a)/epsilon", "D", NULL},
                 {"v", "recovery", "u - v", "0", NULL}},
     .parameter = {{"a", "0.75", "larger: longer excitation"},
                   {"b", "0.01", "larger: higher threshold"},
                   {"epsilon", "0.02", "time of excitation against recovery"},
                   {"D", "1", "diffusion of u"}}},
    {.name = "lotka_volterra",
     .summary = "prey u and predators v that move about",
     .source = "Lotka 1925; Volterra 1926; Murray, Mathematical Biology II, 1.2",
     .species = {{"u", "prey", "alpha*u - beta*u*v", "Du", NULL},
                 {"v", "predators", "delta*u*v - gamma*v", "Dv", NULL}},
     .parameter = {{"alpha", "1", "growth rate of the prey"},
                   {"beta", "1", "loss of prey to predators"},
                   {"delta", "1", "growth of predators by prey"},
                   {"gamma", "1", "death rate of the predators"},
                   {"Du", "1", "diffusion of u"},
                   {"Dv", "1", "diffusion of v"}}},
    {.name = "michaelis_menten",
     .summary = "enzyme kinetics E + S <-> ES -> E + P; the enzyme is immobile",
     .source = "Michaelis & Menten 1913; Briggs & Haldane 1925",
     .species = {{"S", "substrate", "-kf*E*S + kr*ES", "DS", NULL},
                 {"E", "free enzyme", "-kf*E*S + (kr + kcat)*ES", "0", "E0"},
                 {"ES", "complex", "kf*E*S - (kr + kcat)*ES", "0", "0"},
                 {"P", "product", "kcat*ES", "DP", "0"}},
     .parameter = {{"kf", "1", "rate of binding"},
                   {"kr", "1", "rate of release"},
                   {"kcat", "1", "turnover"},
                   {"E0", "0.1", "enzyme at the start"},
                   {"DS", "1", "diffusion of S"},
                   {"DP", "1", "diffusion of P"}}},
    {.name = NULL}};
