/* From the section `time` of a deck to a method and its options: what all solvers that step have in common.
 */
#ifndef INK_CORE_METHOD_H
#define INK_CORE_METHOD_H

#include "stepping.h"

/* What the method is called in decks: "explicit", "implicit", "steady". */
const char *ink_method_name(InkMethod method);
/* The stepper's options as the deck says them. positive: no field may become negative. Local. */
InkStepperOptions ink_method_options(const InkDeck *deck, InkMethod method, bool positive);
/* Decides the method for a run of the system from u at time.start, and writes why into the plan. Collective.
 */
PetscErrorCode ink_method_choose(const InkDeck *deck, const InkSystem *system, bool positive, double *u,
                                 InkMethod *method, InkPlan *plan);
/* The method was that of a checkpoint: the plan says so. Local. */
void ink_method_kept(const InkDeck *deck, InkMethod method, InkPlan *plan);
/* Arrays of one field that the method holds besides the state. */
double ink_method_arrays(const InkSystem *system, InkMethod method);
/* Completes a plan that the choice began: cells, method, order, steps, seconds and, where still empty, the
 * reason. cell_seconds: of an explicit step, for one cell. Collective. */
PetscErrorCode ink_method_plan(const InkDeck *deck, const InkSystem *system, InkMethod method,
                               double cell_seconds, double *u, InkPlan *plan);
#endif
