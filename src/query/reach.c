/*-------------------------------------------------------------------------
 *
 * reach.c
 *	  User-made functions that built-in code calls.
 *
 * A query shows the functions that it calls.  It does not show the functions
 * that built-in code calls because of the types of its arguments.  For
 * example:
 *
 *	SELECT to_json(p) FROM t		-- a cast from the type of p to json
 *	SELECT DISTINCT p FROM t		-- the operator class of the type of p
 *	SELECT x::positive FROM t		-- the CHECK conditions of domain positive
 *
 * This file finds these functions from the types and operators of a query.  It
 * passes them to a callback, as if the query called them.
 *
 * Types.  A built-in type calls no functions of users, unless a superuser has
 * given it an operator class.  For a type that a user has made, these
 * functions count:
 *	- those of its base type, elements, columns, or range subtype;
 *	- its output function;
 *	- the cast to json that json.c finds (jsonb.c looks for the same one);
 *	- its subscripting handler;
 *	- the comparison and hash functions that the type cache finds.
 * Some expressions make values of the type: conversions, and functions, which
 * may work like json_populate_record().  For these, the following count as
 * well:
 *	- its input function, and those of the type modifier;
 *	- the canonical and the subtype difference function of a range;
 *	- the conditions of a domain.
 * A column of a domain that is only read is not checked against the conditions
 * again.  The casts to text that || and quote_literal() use need not be found
 * here: these are functions of LANGUAGE sql, which are examined (body.c).
 *
 * Functions that compare, hash and make ranges can be called by IMMUTABLE
 * built-in functions, such as array_eq(), which PostgreSQL may call while it
 * plans.  The callback is told so (folded).
 *
 * Operators.  The planner may replace an operator by its negator or
 * commutator, and may derive comparisons that use other members of its
 * operator family (from a = b and b = c follows a = c).  Sorts, hashes and
 * merges call the support functions of the family.  So if a user has made the
 * operator, or all its families, then all user-made members and support
 * functions of its btree and hash families count.  For a built-in operator in
 * a built-in family, only a user-made negator or commutator counts.  If such
 * an operator is in several families, PostgreSQL takes the first one by oid,
 * which is the built-in one.  The members that extensions have added to that
 * family are for their own types, and values of these types are examined on
 * their own.
 *
 * What is left out, and why:
 *	- The binary input and output functions of a type.  They are called for
 *	  what a client sends and is sent, and by functions such as array_send(),
 *	  which are opaque.
 *	- The functions of an index's operator class, which an index scan calls.
 *	  They do the work of an operator that is examined.  If they do not agree
 *	  with that operator, PostgreSQL itself gives different answers with
 *	  different plans.  Only superusers can make an operator class.  The same
 *	  goes for partition bounds.
 *	- Selectivity estimators and planner support functions.  They take
 *	  arguments of type internal, so they are written in C.  Estimators change
 *	  plans only.  Support functions are set by superusers, and belong to a
 *	  function that is examined.
 *
 * Each type, operator and family is examined once per examination of a query.
 *
 * What this file must not do: judge functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/breakage.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "parser/parse_coerce.h"
#include "query/reach.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * Call back for a function that IMMUTABLE functions may call, if there is one.
 */
static bool
reach_folded(Reach *reach, Oid funcid)
{
	return OidIsValid(funcid) && !BREAK_USER_CODE &&
		reach->function(funcid, true, reach->context);
}

void
reach_lengths(const Reach *reach, int *lengths)
{
	lengths[0] = list_length(reach->used);
	lengths[1] = list_length(reach->made);
	lengths[2] = list_length(reach->operators);
	lengths[3] = list_length(reach->families);
}

void
reach_truncate(Reach *reach, const int *lengths)
{
	reach->used = list_truncate(reach->used, lengths[0]);
	reach->made = list_truncate(reach->made, lengths[1]);
	reach->operators = list_truncate(reach->operators, lengths[2]);
	reach->families = list_truncate(reach->families, lengths[3]);
}

/*
 * Call back for a function, if there is one.
 */
static bool
reach_function(Reach *reach, Oid funcid)
{
	return OidIsValid(funcid) && reach->function(funcid, false, reach->context);
}

/*
 * Examine the user-made members and support functions of an operator family.
 */
static bool
reach_family(Reach *reach, Oid family)
{
	CatCList   *list;
	List	   *functions = NIL;
	ListCell   *lc;

	if (list_member_oid(reach->families, family))
		return false;
	reach->families = lappend_oid(reach->families, family);

	list = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amop member = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		functions = lappend_oid(functions, get_opcode(member->amopopr));
	}
	ReleaseSysCacheList(list);
	list = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family));
	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amproc member = (Form_pg_amproc) GETSTRUCT(&list->members[i]->tuple);

		functions = lappend_oid(functions, member->amproc);
	}
	ReleaseSysCacheList(list);

	foreach(lc, functions)
	{
		if (lfirst_oid(lc) >= FirstNormalObjectId &&
			reach_function(reach, lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * Examine the families of an operator for sorting, hashing and merging, unless
 * it is a built-in operator in a built-in family.
 */
static bool
reach_families(Reach *reach, Oid opno)
{
	CatCList   *list = SearchSysCacheList1(AMOPOPID, ObjectIdGetDatum(opno));
	List	   *families = NIL;
	bool		builtin = false;
	ListCell   *lc;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amop member = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		if (member->amopmethod == BTREE_AM_OID ||
			member->amopmethod == HASH_AM_OID)
		{
			builtin |= member->amopfamily < FirstNormalObjectId;
			families = lappend_oid(families, member->amopfamily);
		}
	}
	ReleaseSysCacheList(list);
	if (builtin && opno < FirstNormalObjectId)
		return false;
	foreach(lc, families)
	{
		if (reach_family(reach, lfirst_oid(lc)))
			return true;
	}
	return false;
}

bool
reach_operator(Reach *reach, Oid opno, bool itself)
{
	Oid			others[2];

	if (!OidIsValid(opno) || list_member_oid(reach->operators, opno))
		return false;
	CHECK_FOR_INTERRUPTS();
	reach->operators = lappend_oid(reach->operators, opno);
	if (itself && reach_function(reach, get_opcode(opno)))
		return true;
	others[0] = get_negator(opno);
	others[1] = get_commutator(opno);
	for (int i = 0; i < (int) lengthof(others); i++)
	{
		if (others[i] >= FirstNormalObjectId &&
			(reach_function(reach, get_opcode(others[i])) ||
			 reach_families(reach, others[i])))
			return true;
	}
	return reach_families(reach, opno);
}

/*
 * Examine the functions that compare and hash values of a type.
 */
static bool
reach_comparison(Reach *reach, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR |
											  TYPECACHE_LT_OPR |
											  TYPECACHE_GT_OPR |
											  TYPECACHE_CMP_PROC |
											  TYPECACHE_HASH_PROC |
											  TYPECACHE_HASH_EXTENDED_PROC);

	Oid			operators[3] = {entry->eq_opr, entry->lt_opr, entry->gt_opr};
	Oid			functions[3] = {entry->cmp_proc, entry->hash_proc,
	entry->hash_extended_proc};

	for (int i = 0; i < 3; i++)
	{
		/* built-in ones call only functions of elements or columns */
		if ((operators[i] >= FirstNormalObjectId &&
			 (reach_folded(reach, get_opcode(operators[i])) ||
			  reach_operator(reach, operators[i], true))) ||
			(functions[i] >= FirstNormalObjectId &&
			 reach_folded(reach, functions[i])))
			return true;
	}
	return false;
}

/*
 * Examine the cast of a type to json.
 */
static bool
reach_json_cast(Reach *reach, Oid type)
{
	Oid			funcid;

	return find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT,
								 &funcid) == COERCION_PATH_FUNC &&
		reach_function(reach, funcid);
}

/*
 * Examine the conditions of a domain, without those of its base type.
 */
static bool
reach_conditions(Reach *reach, Oid domain)
{
	Relation	rel = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *conditions = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(domain));
	scan = systable_beginscan(rel, ConstraintTypidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		condition = heap_getattr(tuple, Anum_pg_constraint_conbin,
											 RelationGetDescr(rel), &isnull);

		if (!isnull)
			conditions = lappend(conditions,
								 stringToNode(TextDatumGetCString(condition)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	foreach(lc, conditions)
	{
		if (reach->condition(lfirst(lc), reach->context))
			return true;
	}
	return false;
}

static bool
reach_range(Reach *reach, Oid type, bool made)
{
	HeapTuple	tuple = SearchSysCache1(RANGETYPE, ObjectIdGetDatum(type));
	FormData_pg_range range;
	TypeCacheEntry *entry;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for range type %u", type);
	range = *(Form_pg_range) GETSTRUCT(tuple);
	ReleaseSysCache(tuple);
	entry = lookup_type_cache(type, TYPECACHE_RANGE_INFO);
	return reach_type(reach, range.rngsubtype, made) ||
		reach_folded(reach, entry->rng_cmp_proc_finfo.fn_oid) ||
		reach_folded(reach, range.rngcanonical) ||
		reach_folded(reach, range.rngsubdiff);
}

bool
reach_columns(Reach *reach, TupleDesc desc, bool made)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped &&
			reach_type(reach, TupleDescAttr(desc, i)->atttypid, made))
			return true;
	}
	return false;
}

static bool
reach_row(Reach *reach, Oid type, bool made)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

	return reach_columns(reach, desc, made);
}

/*
 * Examine the functions of a base type.
 */
static bool
reach_base(Reach *reach, const FormData_pg_type *type, bool made)
{
	if (reach_function(reach, type->typoutput) ||
		reach_function(reach, type->typsubscript))
		return true;
	return made &&
		(reach_function(reach, type->typinput) ||
		 reach_function(reach, type->typmodin) ||
		 reach_function(reach, type->typmodout));
}

/*
 * Examine a type that a user has made.
 */
static bool
reach_user_type(Reach *reach, const FormData_pg_type *type, bool made)
{
	if (OidIsValid(type->typelem) && reach_type(reach, type->typelem, made))
		return true;
	/* an array; its typtype is that of base types */
	if (type->typsubscript == F_ARRAY_SUBSCRIPT_HANDLER && type->typlen == -1)
		return reach_comparison(reach, type->oid);
	switch (type->typtype)
	{
		case TYPTYPE_DOMAIN:
			return reach_type(reach, type->typbasetype, made) ||
				(made && reach_conditions(reach, type->oid));
		case TYPTYPE_COMPOSITE:
			return reach_row(reach, type->oid, made) ||
				reach_comparison(reach, type->oid);
		case TYPTYPE_RANGE:
			if (reach_range(reach, type->oid, made))
				return true;
			break;
		case TYPTYPE_MULTIRANGE:
			if (reach_type(reach, get_multirange_range(type->oid), made))
				return true;
			break;
		case TYPTYPE_ENUM:
			break;
		default:
			if (reach_base(reach, type, made))
				return true;
			break;
	}
	return reach_json_cast(reach, type->oid) ||
		reach_comparison(reach, type->oid);
}

/*
 * Examine a built-in type: a superuser may have added an operator class, if it
 * had none.
 */
static bool
reach_builtin_type(Reach *reach, Oid type)
{
	Oid			element = get_element_type(type);

	return (OidIsValid(element) && reach_type(reach, element, false)) ||
		reach_comparison(reach, type);
}

bool
reach_type(Reach *reach, Oid type, bool made)
{
	HeapTuple	tuple;
	FormData_pg_type form;

	made &= type >= FirstNormalObjectId;
	if (list_member_oid(reach->made, type) ||
		(!made && list_member_oid(reach->used, type)))
		return false;
	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (made)
		reach->made = lappend_oid(reach->made, type);
	else
		reach->used = lappend_oid(reach->used, type);
	if (type < FirstNormalObjectId)
		return reach_builtin_type(reach, type);

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = *(Form_pg_type) GETSTRUCT(tuple);
	ReleaseSysCache(tuple);
	return reach_user_type(reach, &form, made);
}

/*
 * The same for the columns of a composite type.
 */
static void
reach_row_times(Oid type, ReachTimes *times)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			reach_times(TupleDescAttr(desc, i)->atttypid, times);
	}
}

void
reach_times(Oid type, ReachTimes *times)
{
	Oid			element;

	check_stack_depth();
	type = getBaseType(type);
	element = get_element_type(type);
	if (OidIsValid(element))
	{
		reach_times(element, times);
		return;
	}
	if (type_is_multirange(type))
		type = get_multirange_range(type);
	if (type_is_range(type))
	{
		reach_times(get_range_subtype(type), times);
		return;
	}
	switch (type)
	{
		case TIMETZOID:
			times->zoned = true;
			/* FALLTHROUGH */
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			times->any = true;
			return;
		case RECORDOID:
		case RECORDARRAYOID:
			/* its columns can be of any type */
			times->any = true;
			times->zoned = true;
			return;
		default:
			break;
	}
	if (type < FirstNormalObjectId || list_member_oid(times->seen, type))
		return;
	CHECK_FOR_INTERRUPTS();
	times->seen = lappend_oid(times->seen, type);
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
		reach_row_times(type, times);
	else if (!type_is_enum(type))
		/* its input function may understand such words, too */
		times->any = true;
}
